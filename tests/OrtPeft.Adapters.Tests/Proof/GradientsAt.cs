using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Compilation.Rewrites;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Onnx.Passes;

namespace OrtPeft.Adapters.Tests.Proof;

/// <summary>
/// Loss and gradient at chosen inputs and weights of a model, without dropout. Caches stay inputs, so that the gradient
/// at keys and values of a past can be compared.
/// </summary>
internal static class GradientsAt
{
    /// <summary>Builds the graph; weights among the wanted values, by their names in canonical form, become
    /// inputs.</summary>
    public static Model Build(Model model, IReadOnlyList<string> wanted)
    {
        var copy = model.Clone();
        CanonicalForm.Apply(copy);
        var graph = copy.Graph;
        var values = wanted.Select(name => graph.Find(name)!).ToList();
        foreach (var weight in values.Where(static v => v.Initializer is not null))
            graph.TurnIntoInput(weight);
        var candidates = DecoderNames.CandidatesOf(graph);
        OutputRemoval.Run(copy, graph.Outputs.Skip(1));
        DropoutLowering.ForEvaluation(copy);
        LossGradients.Add(
            new PreparedModel(copy, values, [], candidates),
            GraphBuilder.Over(copy),
            new CausalLm(),
            virtualTokens: 0,
            new TrainingGraphOptions(),
            new SpeedupRun([]),
            mustBeUsed: false);
        return copy;
    }
}
