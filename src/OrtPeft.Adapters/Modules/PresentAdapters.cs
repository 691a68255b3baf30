using System.Text.RegularExpressions;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;

namespace OrtPeft.Adapters.Modules;

/// <summary>
/// The adapters that a graph has already. LoRA's products are a part of the base: they stay as they are, and what only adds
/// to a layer may be put beside them. Others are refused: an adapter of the weight alone would belong to no model that HF
/// has.
/// </summary>
internal sealed partial class PresentAdapters
{
    private readonly LoraInGraph _lora;
    private readonly HashSet<string> _wrapped = new(StringComparer.Ordinal);

    private PresentAdapters(LoraInGraph lora) => _lora = lora;

    /// <summary>Looks for them by form, and by the names that HF PEFT gives its modules.</summary>
    /// <param name="graph">The graph, in canonical form.</param>
    public static PresentAdapters Of(Graph graph)
    {
        var present = new PresentAdapters(LoraInGraph.Of(graph));
        SourcePaths? paths = null;
        var names = graph.Nodes.Select(static n => n.Name.Trim('/').Replace('/', '.'))
            .Concat(graph.Initializers.Where(static v => v.Uses.Count > 0).Select(static v => v.Name));
        foreach (var name in names)
        {
            if (OfAdapter().Match(name) is { Success: true } match)
                present._wrapped.Add((paths ??= SourcePaths.Of(graph)).Canonical(match.Groups[1].Value));
        }

        return present;
    }

    /// <summary>Whether a node is a part of such an adapter's products.</summary>
    public bool IsFactor(Node node) => _lora.IsFactor(node);

    /// <summary>The adapter of a layer.</summary>
    /// <param name="node">The layer's product or look-up.</param>
    /// <param name="module">Its path in the source model.</param>
    public PresentAdapter At(Node node, string module)
    {
        if (_lora.IsBeside(node))
            return PresentAdapter.Lora;
        return _wrapped.Contains(module) ? PresentAdapter.Other : PresentAdapter.None;
    }

    /// <summary>Refuses what would not be an adapter of the model that the graph computes.</summary>
    /// <param name="canonical">The base.</param>
    /// <param name="injection">What was done to it.</param>
    /// <exception cref="ConfigException">It changes a layer that has an adapter in another way than by adding to
    /// it.</exception>
    public static void Check(Graph canonical, Injection injection)
    {
        if (injection.Config.TrainsBase)
            return; // A and B train too
        var all = ModuleCatalogue.LinearModules(canonical).Select(static m => (m.Name, m.Adapter))
            .Concat(EmbeddingCatalogue.Embeddings(canonical).Select(static m => (m.Name, m.Adapter)));
        foreach (var (module, present) in all.Where(static m => m.Adapter != PresentAdapter.None))
        {
            foreach (var (_, part) in injection.ChangesOf(module))
            {
                if (WhyNot(injection.Config, present, part) is { } reason)
                    throw new ConfigException($"{module}: {reason}");
            }
        }
    }

    private static string? WhyNot(PeftConfig config, PresentAdapter present, string part)
    {
        if (present == PresentAdapter.Other)
        {
            return "the graph has an adapter of this layer already that does more than add to it; export the model after "
                + "merge_and_unload(), or leave the layer out.";
        }

        return (TakesThePlace(part) ? "what trains in place of its weight leaves them out" : config.WhyMoreThanAddition) is { } reason
            ? $"the graph has LoRA's A and B beside this layer already, which stay as they are, and {reason}; export the "
                + "model after merge_and_unload(), or leave the layer out."
            : null;
    }

    /// <summary>Whether a parameter is a whole weight, or rows of one.</summary>
    private static bool TakesThePlace(string part) =>
        part == "weight" || part.Contains("trainable_tokens", StringComparison.Ordinal);

    /// <summary>The names of adapters' parts within the modules that they are on, as HF PEFT has them.</summary>
    [GeneratedRegex(@"^(.+?)\.(?:base_layer|(?:lora|hada|lokr|ia3|vera|oft|boft|hra|randlora|trainable_tokens)_\w+)(?=\.|$)")]
    private static partial Regex OfAdapter();
}
