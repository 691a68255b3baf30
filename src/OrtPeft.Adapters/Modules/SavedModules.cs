using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Modules;

/// <summary>
/// <c>modules_to_save</c>: whole modules that train beside an adapter and are saved with it, under HF PEFT's names and
/// in HF's layouts. A weight that another module reads too (a tied head) becomes the module's own copy first.
/// </summary>
internal static class SavedModules
{
    /// <summary>Makes the modules of a configuration train.</summary>
    /// <param name="model">The model with the adapter in it; edited in place.</param>
    /// <param name="injection">What the method did.</param>
    /// <exception cref="ConfigException">There is no such module, or the adapter changes it already.</exception>
    public static Injection AddTo(Model model, Injection injection)
    {
        var names = NamesIn(injection.Config);
        if (names.Count == 0)
            return injection;
        var builder = GraphBuilder.Over(model);
        builder.Scope = "/modules_to_save";
        var tied = TiedModules.Of(model, (TargetedConfig)injection.Config);
        var apart = Apart(model.Graph, names, tied)
            .Select(s => Checked(s, injection))
            .ToList(); // names are read before any weight moves
        var saved = apart.Select(s => new AdapterParameter(KeyOf(s), s.Own(builder))).ToList();
        return tied is null
            ? injection with { Parameters = [.. injection.Parameters, .. saved] }
            : WithTied(injection, tied, builder, saved);
    }

    /// <summary>Puts the trained modules into the base.</summary>
    public static void Merge(Model model, PeftConfig config, IReadOnlyDictionary<string, Tensor> weights)
    {
        var names = NamesIn(config);
        if (names.Count == 0)
            return;
        var tied = TiedModules.Of(model, (TargetedConfig)config);
        foreach (var saved in Apart(model.Graph, names, tied))
            saved.Fold(model.Graph, weights[KeyOf(saved)]);
        tied?.Fold(model.Graph, weights[KeyOf(tied.Embedding)]);
    }

    private static Injection WithTied(
        Injection injection, TiedModules tied, GraphBuilder builder, IReadOnlyList<AdapterParameter> others)
    {
        _ = Checked(tied.Embedding, injection);
        var head = Checked(SavedParameter.Of(tied.Head).First(), injection);
        var (ofEmbedding, ofHead) = (KeyOf(tied.Embedding), KeyOf(head));
        var matrix = new AdapterParameter(ofEmbedding, tied.Joined(builder)) { Aliases = [ofHead] };
        var ownForm = injection.ForSaving;
        return injection with
        {
            Parameters = [.. injection.Parameters, .. others, matrix],
            ForSaving = weights => new Dictionary<string, Tensor>(ownForm?.Invoke(weights) ?? weights)
            {
                [ofHead] = weights[ofEmbedding],
            },
        };
    }

    /// <summary>The named parameters but for those that train as one.</summary>
    private static List<SavedParameter> Apart(Graph graph, IReadOnlyList<string> names, TiedModules? tied) =>
    [
        .. Named(graph, names).Where(s => tied is null
            || !(s.Kind == "weight" && (s.Module == tied.Embedding.Module || s.Module == tied.Head.Name))),
    ];

    private static IReadOnlyList<string> NamesIn(PeftConfig config) =>
        (config as TargetedConfig)?.ModulesToSave ?? [];

    private static string KeyOf(SavedParameter saved) => HfName.Of(saved.Name);

    /// <summary>The names that are no module's, a clause each, with what is.</summary>
    public static IEnumerable<string> Unmatched(Graph graph, TargetedConfig config)
    {
        var names = NamesIn(config);
        if (names.Count == 0)
            return [];
        var modules = All(graph).Select(static s => s.Module).Distinct().ToList();
        var known = string.Join(", ", modules.Select(static m => m.Split('.')[^1]).Distinct());
        return names.Where(name => !modules.Any(m => IsNamed(m, name)))
            .Select(name => $"modules_to_save '{name}' is no module of the model; these are: {known}");
    }

    /// <summary>
    /// HF PEFT asks for a name's end, without a dot before it: <c>norm</c> is <c>input_layernorm</c> too; a container's
    /// name means all that is in it.
    /// </summary>
    private static bool IsNamed(string module, string name)
    {
        if (module.EndsWith(name, StringComparison.Ordinal))
            return true;
        var dot = module.LastIndexOf('.');
        return dot > 0 && IsNamed(module[..dot], name);
    }

    private static List<SavedParameter> Named(Graph graph, IReadOnlyList<string> names)
    {
        var all = All(graph);
        return [.. names.SelectMany(name => all.Where(s => IsNamed(s.Module, name)))
            .DistinctBy(static s => s.Name)];
    }

    /// <summary>Every parameter of every module.</summary>
    public static List<SavedParameter> All(Graph graph)
    {
        var embeddings = EmbeddingCatalogue.Embeddings(graph).Select(SavedParameter.Of);
        var linear = ModuleCatalogue.LinearModules(graph).SelectMany(SavedParameter.Of);
        return [.. embeddings, .. linear, .. VectorCatalogue.NormVectors(graph).Select(SavedParameter.Of)];
    }

    private static SavedParameter Checked(SavedParameter saved, Injection injection)
    {
        if (QuantizedWeight.Find(saved.Value) is not null)
            throw new ConfigException(
                $"modules_to_save has {saved.Module}, whose weight is quantised; leave it out, or leave the layer out of "
                + "quantisation.");
        var own = injection.Parameters.FirstOrDefault(p => HfName.PartOf(p.Name, saved.Module) is not null);
        if (own is not null)
            throw new ConfigException(
                $"modules_to_save has {saved.Module}, which the adapter trains as '{own.Name}'; choose one of the two.");
        return saved;
    }
}
