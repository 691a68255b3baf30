using OrtPeft.Adapters;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Onnx.Passes;

namespace OrtPeft.Compilation.Graphs;

/// <summary>Builds the graph that computes a base's logits from rows of tokens, without dropout.</summary>
public static class LogitsGraph
{
    /// <summary>Builds the graph of a base.</summary>
    /// <param name="model">The base; not changed.</param>
    /// <returns>Inputs: those that rows bring. One output: the logits, <c>[batch, sequence, vocabulary]</c>.</returns>
    /// <exception cref="UnsupportedOpException">The graph cannot be brought into canonical form.</exception>
    public static Model Build(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var copy = model.Clone();
        CanonicalForm.Apply(copy);
        return Reduced(copy);
    }

    /// <summary>Builds the graph of an adapted model's base.</summary>
    /// <param name="peft">The adapted model.</param>
    /// <returns>The same as of the base.</returns>
    public static Model Build(PeftModel peft)
    {
        ArgumentNullException.ThrowIfNull(peft);
        return Reduced(peft.CanonicalBase.Clone());
    }

    /// <summary>Changes a model in canonical form.</summary>
    private static Model Reduced(Model copy)
    {
        PreparedModel.ForRows(copy);
        DropoutLowering.ForEvaluation(copy);
        var g = GraphBuilder.Over(copy);
        var logits = PreparedModel.FirstOutput(copy.Graph);
        var ids = copy.Graph.Inputs.FirstOrDefault(static i => i.Name == DecoderNames.Ids);
        if (logits.Shape is { Rank: 3 } shape && LogitsCheck.IsTimeFirst(shape, ids))
            GraphOutputs.Set(copy.Graph, [g.Transpose(logits, 1, 0, 2)]);
        return copy;
    }
}
