using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;

namespace OrtPeft.Adapters.Modules;

/// <summary>
/// Names of modules that a person gives where a graph does not tell them, kept in the model's metadata: from the name in
/// the graph to the path in the source model. A <c>*</c> stands for one part of a path, in order: <c>blocks.*.fc</c> =
/// <c>model.layers.*.mlp.up_proj</c>.
/// </summary>
internal static class NameMap
{
    private const string Any = "*";

    /// <summary>Renames the modules of a model.</summary>
    /// <param name="canonical">The model, in canonical form; edited in place.</param>
    /// <exception cref="ConfigException">An entry is no module's.</exception>
    public static void Apply(Model canonical)
    {
        ArgumentNullException.ThrowIfNull(canonical);
        var map = canonical.TextsOf(MetadataKeys.ModuleNames);
        if (map.Count == 0)
            return;
        var modules = ModuleCatalogue.LinearModules(canonical.Graph);
        var unused = map.Select(static e => e.Key).ToHashSet(StringComparer.Ordinal);
        foreach (var module in modules)
        {
            foreach (var (from, to) in map)
            {
                if (Renamed(module.Name, from, to) is not { } name)
                    continue;
                unused.Remove(from);
                Rename(canonical.Graph, module, name);
                break;
            }
        }

        var isAppliedBefore = unused.All(from => modules.Any(m => Renamed(m.Name, map[from], from) is not null));
        if (!isAppliedBefore)
        {
            throw new ConfigException(
                $"The name map has '{unused.First()}', which is not a module of the graph; these are: "
                + $"{string.Join(", ", modules.Select(static m => m.Name))}.");
        }
    }

    private static string? Renamed(string name, string from, string to)
    {
        var (parts, pattern) = (name.Split('.'), from.Split('.'));
        if (parts.Length != pattern.Length || !parts.Zip(pattern).All(static p => p.Second == Any || p.First == p.Second))
            return null;
        var taken = new Queue<string>(parts.Where((_, i) => pattern[i] == Any));
        return string.Join('.', to.Split('.').Select(part => part == Any && taken.TryDequeue(out var own) ? own : part));
    }

    /// <summary>A parameter's own name counts before the node's, so both change.</summary>
    private static void Rename(Graph graph, LinearModule module, string name)
    {
        var paths = SourcePaths.Of(graph);
        module.Node.Name = $"/{name}/{module.Node.OpType}";
        Set(module.Weight, "weight");
        if (module.Bias is { } bias)
            Set(bias, "bias");

        void Set(Value value, string kind)
        {
            if (value.Uses.Count == 1 && paths.OfParameter(value.Name) is not null && graph.Find($"{name}.{kind}") is null)
                graph.Rename(value, $"{name}.{kind}");
        }
    }
}
