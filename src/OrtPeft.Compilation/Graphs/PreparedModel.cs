using OrtPeft.Adapters;
using OrtPeft.Kernels;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Onnx.Passes;

namespace OrtPeft.Compilation.Graphs;

/// <summary>A copy of an adapted model to build a graph of its loss in.</summary>
/// <param name="Model">The copy, without a past; its trainable parameters are inputs under their own names.</param>
/// <param name="Parameters">What trains, in the adapter's order.</param>
/// <param name="Detached">Values whose gradient is not followed further.</param>
/// <param name="Candidates">The outputs that could have been the logits, for messages.</param>
internal sealed record PreparedModel(
    Model Model, IReadOnlyList<Value> Parameters, IReadOnlyList<Value> Detached, IReadOnlyList<string> Candidates)
{
    /// <summary>The model's first output: logits or predictions.</summary>
    /// <exception cref="GraphException">It has none.</exception>
    public Value Output => FirstOutput(Model.Graph);

    /// <summary>Copies a model.</summary>
    public static PreparedModel Of(PeftModel peft)
    {
        ArgumentNullException.ThrowIfNull(peft);
        var model = peft.Model.Clone();
        var graph = model.Graph;
        var parameters = peft.Parameters.Select(p => graph.Find(p.Value.Name)!).ToList();
        foreach (var (parameter, value) in peft.Parameters.Zip(parameters))
        {
            graph.Rename(value, parameter.Name);
            graph.TurnIntoInput(value);
        }

        var candidates = ForRows(model, parameters);
        var detached = peft.Detached.Select(d => graph.Find(d.Name)).OfType<Value>().ToList();
        return new PreparedModel(model, parameters, detached, candidates);
    }

    /// <summary>
    /// Caches go, the loss that a graph brings of its own, and inputs that rows do not bring; returns what else could
    /// be logits.
    /// </summary>
    /// <param name="model">The model, in place.</param>
    /// <param name="parameters">Inputs that are no data; none when left out.</param>
    /// <exception cref="GraphException">A node is of the operators that only OrtPeft puts into graphs.</exception>
    public static IReadOnlyList<string> ForRows(Model model, IReadOnlyList<Value>? parameters = null)
    {
        if (model.Graph.Nodes.FirstOrDefault(static n => n.Domain == FusedOp.Domain) is { } own)
            throw new GraphException(
                $"{own} is of the domain '{FusedOp.Domain}', which OrtPeft keeps for its own kernels; give the graph of "
                + "standard operators that it was made from.");
        var candidates = DecoderNames.CandidatesOf(model.Graph);
        OutputRemoval.Run(model, model.Graph.Outputs.Skip(1));
        PastRemoval.Run(model);
        RowInputs.Run(model, parameters);
        return candidates;
    }

    /// <summary>A graph's first output: logits or predictions.</summary>
    /// <exception cref="GraphException">It has none.</exception>
    public static Value FirstOutput(Graph graph) => graph.Outputs is [var first, ..]
        ? first
        : throw new GraphException(
            $"Graph '{graph.Name}' has no output; training needs logits: export it with its language-model head.");
}
