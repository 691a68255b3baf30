using OrtPeft.Autodiff;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Compilation.Rewrites;
using OrtPeft.Kernels;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Graphs;

/// <summary>Adds a loss and its gradients to a graph.</summary>
internal static class LossGradients
{
    /// <summary>Makes loss, count and gradients the graph's outputs.</summary>
    /// <param name="prepared">The model; edited in place.</param>
    /// <param name="g">Adds nodes to its graph.</param>
    /// <param name="objective">What to differentiate.</param>
    /// <param name="virtualTokens">How many positions the output has before the first input token's.</param>
    /// <param name="options">How the loss is built.</param>
    /// <param name="speedups">What makes it faster.</param>
    /// <param name="mustBeUsed">Whether a parameter is refused that the loss does not depend on.</param>
    /// <returns>The input that multiplies every gradient.</returns>
    public static Value Add(
        PreparedModel prepared,
        GraphBuilder g,
        IObjective objective,
        int virtualTokens,
        TrainingGraphOptions options,
        SpeedupRun speedups,
        bool mustBeUsed)
    {
        var (model, wanted) = (prepared.Model, prepared.Parameters);
        var graph = model.Graph;
        var scale = graph.AddInput(TrainingGraph.Scale, ElementType.Float, []);
        var loss = objective.Build(new LossScope(g, prepared.Output, scale, wanted.ToHashSet(), virtualTokens)
        {
            Candidates = prepared.Candidates,
            ScalesProbabilities = options.ScalesProbabilities,
            MasksLabels = options.MasksLabels,
        });
        loss = Rewritten(loss, g, speedups);
        var path = DifferentiablePath.Between(wanted, loss.Seeds.Select(static s => s.Value), prepared.Detached);
        if (mustBeUsed)
            RequireUse(wanted, path);
        FusedOps.Raise(g, path.Values);
        loss = LossOf(graph);
        var differentiator = new Differentiator(model, g, FusedOps.Gradients);
        var gradients = differentiator.Differentiate(loss.Seeds, wanted, prepared.Detached);
        g.Scope = "";
        GraphOutputs.Set(g, loss, wanted.Zip(gradients));
        speedups.Lower(g);
        return scale;
    }

    /// <summary>A parameter that moves nothing would stay as it is without a word.</summary>
    private static void RequireUse(IReadOnlyList<Value> parameters, DifferentiablePath path)
    {
        if (path.Cut is null && parameters.FirstOrDefault(p => !path.Values.Contains(p)) is { } unused)
            throw new GraphException(
                $"The loss does not depend on the trainable parameter '{unused.Name}'; choose other targets.");
    }

    /// <summary>
    /// The loss after the rewrites before differentiation. They see it as the graph's only results: the head's product
    /// at every position no longer reads what they rewrite, and what takes a result's place is found there.
    /// </summary>
    private static LossValues Rewritten(LossValues loss, GraphBuilder g, SpeedupRun speedups)
    {
        var graph = g.Graph;
        var seeds = loss.Seeds.SelectMany(static s => new[] { s.Value, s.Gradient });
        GraphOutputs.Set(graph, [loss.Sum, loss.Count, .. seeds]);
        graph.RemoveDeadCode();
        speedups.BeforeGradient(g);
        return LossOf(graph);
    }

    private static LossValues LossOf(Graph graph)
    {
        var seeds = graph.Outputs.Skip(2).Chunk(2).Select(static s => new Seed(s[0], s[1]));
        return new LossValues(graph.Outputs[0], graph.Outputs[1], [.. seeds]);
    }
}
