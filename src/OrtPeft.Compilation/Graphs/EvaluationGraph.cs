using OrtPeft.Adapters;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Kernels;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;

namespace OrtPeft.Compilation.Graphs;

/// <summary>
/// Builds the graph that computes the loss alone, without dropout. Its outputs are called as the training graph's.
/// </summary>
public static class EvaluationGraph
{
    /// <summary>Builds the graph of an adapted model, whose trainable parameters are inputs.</summary>
    /// <param name="peft">The adapted model.</param>
    /// <param name="objective">What to measure.</param>
    /// <param name="withPredictions">Whether the model's first output, such as <c>logits</c> [batch, virtual +
    /// sequence, vocabulary], stays an output, the last one, under its own name: then the graph also generates, at the
    /// price of the head's product at every position. Default false.</param>
    /// <returns>Inputs: the model's own, the objective's, the parameters.</returns>
    public static CompiledGraph Build(PeftModel peft, IObjective objective, bool withPredictions = false)
    {
        ArgumentNullException.ThrowIfNull(objective);
        return Build(PreparedModel.Of(peft), objective, peft.VirtualTokens, withPredictions);
    }

    /// <summary>Builds the graph of a model whose weights stay where they are.</summary>
    /// <param name="model">A base, or a model with an adapter in it; not changed.</param>
    /// <param name="objective">What to measure.</param>
    /// <param name="virtualTokens">How many positions its output has before the first input token's; 0 when left
    /// out.</param>
    /// <returns>Inputs: the model's own and the objective's.</returns>
    /// <exception cref="UnsupportedOpException">The graph cannot be brought into canonical form.</exception>
    public static CompiledGraph Build(Model model, IObjective objective, int virtualTokens = 0)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(objective);
        var copy = model.Clone();
        CanonicalForm.ApplyRounding(copy);
        var prepared = new PreparedModel(copy, [], [], PreparedModel.ForRows(copy));
        return Build(prepared, objective, virtualTokens, withPredictions: false);
    }

    private static CompiledGraph Build(
        PreparedModel prepared, IObjective objective, int virtualTokens, bool withPredictions)
    {
        var model = prepared.Model;
        DropoutLowering.ForEvaluation(model);
        var g = GraphBuilder.Over(model);
        var predictions = prepared.Output;
        var loss = objective.Build(new LossScope(g, predictions, null, new HashSet<Value>(), virtualTokens)
        {
            Candidates = prepared.Candidates,
        });
        GraphOutputs.Set(g, loss, [], withPredictions ? predictions : null);
        FusedOps.Lower(g);
        model.Graph.RemoveDeadCode();
        return new CompiledGraph(
            model, GraphContract.OfLoss(model.Graph, new LossRoles(prepared.Parameters.ToHashSet())));
    }
}
