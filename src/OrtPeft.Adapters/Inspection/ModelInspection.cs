using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Passes.Contrib;

namespace OrtPeft.Adapters.Inspection;

/// <summary>The parts of a model, as adapters see it.</summary>
public sealed class ModelInspection
{
    private static readonly HashSet<string> TakenApart =
    [
        "If",
        NameOf("com.microsoft", "MatMulNBits"),
        .. ContribOps.Operators.Select(static o => NameOf(o.Domain, o.OpType)),
    ];

    private static readonly HashSet<string> Fusions = ["LayerNormalization", "Gelu"];

    private readonly Dictionary<string, string> _names;

    private ModelInspection(Model canonical, IReadOnlyList<GraphRewrite> rewrites, string? problem)
    {
        Rewrites = rewrites;
        Problem = problem;
        _names = canonical.OriginalNames.ToDictionary(static n => n.Value, static n => n.Key);
        Modules = ModuleCatalogue.LinearModules(canonical.Graph);
        SharedWeights = Inspection.SharedWeights.Of(canonical.Graph, Modules);
        ControlFlow = [.. canonical.Graph.Nodes.Where(static n => n.Subgraphs.Any())];
    }

    /// <summary>The linear layers that can be adapted, the head included, in execution order.</summary>
    public IReadOnlyList<LinearModule> Modules { get; }

    /// <summary>Tied, shared and copied weights.</summary>
    public IReadOnlyList<SharedWeight> SharedWeights { get; }

    /// <summary>The rewrites on the way to canonical form, in the order of the passes.</summary>
    public IReadOnlyList<GraphRewrite> Rewrites { get; }

    /// <summary>The nodes of canonical form that choose or repeat graphs of their own.</summary>
    public IReadOnlyList<Node> ControlFlow { get; }

    /// <summary>
    /// Why the model cannot be brought into canonical form, or null; the lists are then of the form it reached.
    /// </summary>
    public string? Problem { get; }

    /// <summary>
    /// Looks at a model. Costs as much as preparing it for training, and reads no weights but embedding and head.
    /// </summary>
    /// <param name="model">The model; not changed.</param>
    /// <returns>What it is made of.</returns>
    /// <exception cref="GraphException">A node contradicts its operator's definition.</exception>
    public static ModelInspection Of(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var canonical = model.Clone();
        var rewrites = new List<GraphRewrite>();
        try
        {
            foreach (var pass in CanonicalForm.Passes)
                rewrites.AddRange(Run(pass, canonical));
            NameMap.Apply(canonical);
        }
        catch (UnsupportedOpException e)
        {
            return new ModelInspection(canonical, rewrites, e.Message);
        }

        return new ModelInspection(canonical, rewrites, null);
    }

    /// <summary>The role of an input or output, whatever the exporter called it.</summary>
    /// <param name="value">An input or output of the model that was looked at.</param>
    /// <returns>As <see cref="ValuePurposes.Of(Value, string?)"/>.</returns>
    public string RoleOf(Value value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return ValuePurposes.Of(value, _names.GetValueOrDefault(value.Name));
    }

    private static IEnumerable<GraphRewrite> Run(GraphPass pass, Model model)
    {
        var (before, opset, nodes) = (Counts(model.Graph), model.Opset, model.Graph.Nodes.Count);
        pass.Run(model);
        var after = Counts(model.Graph);
        if (model.Opset != opset)
            return [new GraphRewrite(pass.Name, $"opset {opset} to {model.Opset}", nodes)];
        var gone = before.Where(p => TakenApart.Contains(p.Key))
            .Select(p => (p.Key, Count: p.Value - after.GetValueOrDefault(p.Key)));
        var made = after.Where(p => Fusions.Contains(p.Key))
            .Select(p => (p.Key, Count: p.Value - before.GetValueOrDefault(p.Key)));
        return pass.Name.StartsWith("fuse-", StringComparison.Ordinal) ? Rewrites(made) : Rewrites(gone);

        IEnumerable<GraphRewrite> Rewrites(IEnumerable<(string Op, int Count)> changes) =>
            changes.Where(static c => c.Count > 0).Select(c => new GraphRewrite(pass.Name, c.Op, c.Count)).ToArray();
    }

    private static Dictionary<string, int> Counts(Graph graph) =>
        graph.Nodes.CountBy(static n => NameOf(n.Domain, n.OpType)).ToDictionary();

    private static string NameOf(string domain, string op) => domain.Length == 0 ? op : $"{domain}.{op}";
}
