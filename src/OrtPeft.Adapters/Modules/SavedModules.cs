using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Decoders;
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
        var names = injection.Config.SavedModuleNames;
        if (names.Count == 0)
            return injection;
        var builder = GraphBuilder.Over(model);
        builder.Scope = "/modules_to_save";
        var tied = TiedModules.Of(model, injection.Config);
        var apart = Apart(model.Graph, names, tied)
            .Select(s => Checked(s, injection))
            .ToList(); // names are read before any weight moves
        var saved = apart.Select(s => new AdapterParameter(KeyOf(injection, s), s.Own(builder))).ToList();
        var whole = injection with
        {
            Parameters = [.. injection.Parameters, .. saved, .. Tied(injection, tied, builder)],
            Merge = Merge(injection, apart, tied),
            LowRank = null,
        };
        if (tied is not null)
            return whole with { ForSaving = UnderBothNames(injection, tied) };
        return injection.Computed.Count == 0 ? whole : whole with { ForSaving = WithSaved(injection, saved) };
    }

    private static Folding? Merge(Injection injection, IReadOnlyList<SavedParameter> apart, TiedModules? tied) =>
        injection.Merge is not { } merge ? null : (copy, weights) =>
        {
            merge(copy, weights);
            foreach (var parameter in Counterparts.Of(apart, copy))
                parameter.Fold(copy, weights[KeyOf(injection, parameter)]);
            tied?.In(copy).Fold(copy, weights[KeyOf(injection, tied.Embedding)]);
        };

    /// <summary>The matrix of a tied pair, which trains under the embedding's name.</summary>
    private static IEnumerable<AdapterParameter> Tied(Injection injection, TiedModules? tied, GraphBuilder builder)
    {
        if (tied is null)
            return [];
        _ = Checked(tied.Embedding, injection);
        var head = Checked(SavedParameter.Of(tied.Head).First(), injection);
        return [new AdapterParameter(KeyOf(injection, tied.Embedding), tied.Joined(builder)) { Aliases = [KeyOf(injection, head)] }];
    }

    private static Func<IReadOnlyDictionary<string, Tensor>, IReadOnlyDictionary<string, Tensor>> UnderBothNames(
        Injection injection, TiedModules tied)
    {
        var ownForm = injection.ForSaving;
        var (ofEmbedding, ofHead) = (KeyOf(injection, tied.Embedding), HfName.Of(tied.Head.Name, "weight"));
        return weights => new Dictionary<string, Tensor>(ownForm?.Invoke(weights) ?? weights)
        {
            [ofHead] = weights[ofEmbedding],
        };
    }

    /// <summary>The named parameters but for those that train as one.</summary>
    private static List<SavedParameter> Apart(Graph graph, IReadOnlyList<string> names, TiedModules? tied) =>
    [
        .. Named(graph, names).Where(s => tied is null
            || !(s.Kind == "weight" && (s.Module == tied.Embedding.Module || s.Module == tied.Head.Name))),
    ];

    /// <summary>Files of a prompt's encoder hold what it makes, and these beside it.</summary>
    private static Func<IReadOnlyDictionary<string, Tensor>, IReadOnlyDictionary<string, Tensor>> WithSaved(
        Injection injection, IReadOnlyList<AdapterParameter> saved)
    {
        var ownForm = injection.ForSaving;
        return weights => new Dictionary<string, Tensor>(
            (ownForm?.Invoke(weights) ?? weights).Concat(saved.Select(s => KeyValuePair.Create(s.Name, weights[s.Name])))
                .DistinctBy(static w => w.Key));
    }

    private static string KeyOf(Injection injection, SavedParameter saved) => injection.Config.NameOfSaved(saved.Name);

    /// <summary>The names that are not modules, a clause each, with those that are.</summary>
    public static IEnumerable<string> Unmatched(Graph graph, PeftConfig config)
    {
        var names = config.SavedModuleNames;
        if (names.Count == 0)
            return [];
        var modules = All(graph).Select(static s => s.Module).Distinct().ToList();
        var known = string.Join(", ", modules.Select(static m => m.Split('.')[^1]).Distinct());
        var quantized = EmbeddingCatalogue.QuantizedName(graph);
        return names.Where(name => !modules.Any(m => IsNamed(m, name)))
            .Select(name => quantized is not null && IsNamed(quantized, name)
                ? $"modules_to_save has {quantized}, whose matrix is quantised and does not train; leave it out"
                : $"modules_to_save '{name}' is not a module of the model; these are: {known}");
    }

    /// <summary>
    /// HF PEFT asks for a name's end, without a dot before it: <c>norm</c> is <c>input_layernorm</c> too; a container's
    /// name means all that is in it.
    /// </summary>
    internal static bool IsNamed(string module, string name)
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
        var isEmbedding = EmbeddingCatalogue.LookUpsOf(saved.Value).Any(n => n == saved.Reader || n.Inputs[0] == saved.Reader.Output);
        if (injection.VirtualTokens > 0 && isEmbedding && DecoderFamilies.IsTokenEmbedding(saved.Module))
            throw new ConfigException(
                $"modules_to_save has {saved.Module}, whose trained copy HF PEFT does not read where virtual tokens are "
                + "embedded; leave it out, or take prefix-tuning.");
        return saved;
    }
}
