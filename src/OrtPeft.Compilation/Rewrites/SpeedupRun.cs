using OrtPeft.Kernels;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Shapes;

namespace OrtPeft.Compilation.Rewrites;

/// <summary>Applies speedups to one graph, and notes which of them find something.</summary>
/// <param name="speedups">What is applied, in order.</param>
internal sealed class SpeedupRun(IReadOnlyList<Speedup> speedups)
{
    private readonly HashSet<Speedup> _found = [];

    /// <summary>Rewrites the graph before it is differentiated.</summary>
    public void BeforeGradient(GraphBuilder g) => Apply(g, static s => s.BeforeGradient);

    /// <summary>Rewrites the differentiated graph.</summary>
    public void AfterGradient(GraphBuilder g) => Apply(g, static s => s.AfterGradient);

    /// <summary>Rewrites it once all values are chosen that are computed again.</summary>
    public void AfterRecomputation(Model model)
    {
        // To infer shapes anew would lose what rewrites know of them.
        if (speedups.Any(static s => s.AfterRecomputation is not null))
            Apply(new GraphBuilder(model.Graph, new ShapeInference(model.Opset)), static s => s.AfterRecomputation);
    }

    /// <summary>Lowers the fused operators that no kernel takes.</summary>
    public void Lower(GraphBuilder g)
    {
        var byOperator = speedups.SelectMany(static s => s.Operators, static (s, op) => (s, op))
            .ToDictionary(static pair => pair.op, static pair => pair.s);
        CheckedEdit.Run("lowering of fused operators", g.Graph, () => FusedOps.Lower(
            g, n => FusedOps.Of(n) is { } op && byOperator.ContainsKey(op) && op.Takes(n)));
        _found.UnionWith(g.Graph.Nodes.Select(FusedOps.Of).OfType<FusedOp>().Select(byOperator.GetValueOrDefault)
            .OfType<Speedup>());
    }

    /// <summary>The names of those that have found nothing so far, in order.</summary>
    public IReadOnlyList<string> Idle =>
        [.. speedups.Where(s => s.DoesSomething && !_found.Contains(s)).Select(static s => s.Name)];

    private void Apply(GraphBuilder g, Func<Speedup, Action<GraphBuilder>?> rewriteOf)
    {
        foreach (var speedup in speedups)
        {
            if (rewriteOf(speedup) is not { } rewrite)
                continue;
            var before = g.Graph.NodeChanges;
            CheckedEdit.Run($"rewrite '{speedup.Name}'", g.Graph, () => rewrite(g));
            (g.Before, g.Scope) = (null, "");
            if (g.Graph.NodeChanges != before)
                _found.Add(speedup);
        }
    }
}
