using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Several;

/// <summary>One adapter of a model: alone in a copy of the base's graph, which keeps its weights.</summary>
/// <param name="Name">What it is called; see <see cref="AdapterNames"/>.</param>
/// <param name="Method">How it adapts.</param>
/// <param name="Seed">What fixed its first weights.</param>
/// <param name="Model">The base with this adapter alone; shares the base's weights.</param>
/// <param name="Injection">What the method did to it.</param>
internal sealed record Adapter(string Name, IPeftMethod Method, long Seed, Model Model, Injection Injection)
{
    /// <summary>The tensors that train, then those that do not.</summary>
    public IEnumerable<AdapterParameter> Tensors => Injection.Parameters.Concat(Injection.Buffers);

    /// <summary>Names in its configuration that the base does not have, a clause each.</summary>
    public IReadOnlyList<string> Unmatched { get; private init; } = [];

    /// <summary>The weights of its base that its file has others for.</summary>
    public BaseWeights OfBase { get; private init; } = BaseWeights.None;

    /// <summary>Why it cannot be active beside others; null where it can.</summary>
    public string? WhyNotBesideOthers => OfBase.Others.Keys.FirstOrDefault() is { } name
        ? $"its '{name}' takes the place of the base's"
        : Injection.Config.WhyNotBesideOthers;

    /// <summary>Makes a fresh adapter; entries of the configuration that match nothing are left for <see
    /// cref="Unmatched"/>.</summary>
    public static Adapter Create(string name, Model canonicalBase, PeftConfig config, long seed)
    {
        var adapter = Promised(name, canonicalBase, config, seed, BaseWeights.None);
        InitialWeights.MakeIn(adapter.Model.Graph, adapter.Tensors);
        return adapter;
    }

    /// <summary>Makes an adapter with given weights; only what they leave out is made.</summary>
    /// <param name="name">What it is called.</param>
    /// <param name="canonicalBase">The base; not changed.</param>
    /// <param name="config">Which method, and how.</param>
    /// <param name="weights">A file's tensors.</param>
    /// <param name="source">What messages call the file.</param>
    /// <param name="seed">Fixes what is not among the weights.</param>
    /// <returns>The adapter.</returns>
    /// <exception cref="ConfigException">They do not fit the base.</exception>
    public static Adapter For(
        string name,
        Model canonicalBase,
        PeftConfig config,
        IReadOnlyDictionary<string, Tensor> weights,
        string source,
        long seed)
    {
        var (adapter, own) = Placed(name, canonicalBase, config, weights, source, seed);
        foreach (var (parameter, tensor) in AdapterCheck.Fit(adapter.Injection, own, source))
            adapter.Model.Graph.SetInitializer(parameter.Value, tensor);
        InitialWeights.MakeIn(adapter.Model.Graph, adapter.Tensors);
        return adapter;
    }

    /// <summary>Everything that <see cref="For"/> would object to in a file's tensors, and what the configuration names and
    /// the base does not have.</summary>
    /// <param name="canonicalBase">The base; not changed.</param>
    /// <param name="config">Which method, and how.</param>
    /// <param name="weights">A file's tensors.</param>
    /// <param name="source">What messages call the file.</param>
    /// <exception cref="ConfigException">The configuration does not fit the base, so that no tensor can be
    /// placed.</exception>
    public static (IReadOnlyList<string> Faults, IReadOnlyList<string> Unmatched) Examine(
        Model canonicalBase, PeftConfig config, IReadOnlyDictionary<string, Tensor> weights, string source)
    {
        var (adapter, own) = Placed(PeftModel.DefaultName, canonicalBase, config, weights, source, seed: 0);
        return ([.. AdapterCheck.Faults(adapter.Injection, own)], adapter.Unmatched);
    }

    /// <summary>The adapter in its graph, and those of a file's tensors that are not the base's.</summary>
    private static (Adapter Adapter, IReadOnlyDictionary<string, Tensor> Own) Placed(
        string name,
        Model canonicalBase,
        PeftConfig config,
        IReadOnlyDictionary<string, Tensor> weights,
        string source,
        long seed)
    {
        (config, weights) = TextRoots.Placed(canonicalBase.Graph, config, WrappedNames.Plain(weights, source));
        var fitted = config.FittedTo([.. weights.Keys]);
        var adapter = Promised(name, canonicalBase, fitted, seed, BaseWeights.None);
        var ofBase = BaseWeights.Find(canonicalBase, adapter.Injection, weights, source);
        var own = ofBase.Without(weights);
        if (ofBase.Others.Count == 0)
            return (adapter, own);
        adapter = Promised(name, canonicalBase, fitted, seed, ofBase);
        return (adapter, LoraStart.WithoutStartOf(ofBase, adapter.Injection.Buffers, own));
    }

    /// <summary>The adapter in its graph, its weights still to be made or set.</summary>
    private static Adapter Promised(string name, Model canonicalBase, PeftConfig config, long seed, BaseWeights ofBase)
    {
        var method = PeftMethods.Of(config);
        var adapted = canonicalBase.Clone();
        ofBase.ApplyTo(adapted);
        var injection = method.Inject(adapted, config, seed);
        injection = SavedModules.AddTo(adapted, injection);
        PresentAdapters.Check(canonicalBase.Graph, injection);
        RepeatedLayers.Check(canonicalBase.Graph, injection);
        return new Adapter(name, method, seed, adapted, injection)
        {
            Unmatched = UnmatchedNames.Of(canonicalBase.Graph, config, injection),
            OfBase = ofBase,
        };
    }

    /// <summary>The same adapter, if everything that its configuration names is there.</summary>
    /// <exception cref="ConfigException">Something is not; the message says what would be.</exception>
    public Adapter Matched() => Unmatched.Count == 0
        ? this
        : throw new ConfigException($"{string.Join("; ", Unmatched)}.");

    /// <summary>The weights by their names on disk.</summary>
    public IReadOnlyDictionary<string, Tensor> Weights() => Tensors.ToDictionary(
        static p => p.Name, static p => p.Value.Initializer!, StringComparer.Ordinal);

    /// <summary>Folds it into a copy of the base.</summary>
    /// <exception cref="ConfigException">Its method cannot; the message says why.</exception>
    public void MergeInto(Model model)
    {
        if (Injection.Merge is not { } merge)
            throw new ConfigException(
                $"{Method.Description.Title} cannot be merged: {Method.Description.WhyNotMergeable}.");
        OfBase.ApplyTo(model);
        merge(model.Graph, Weights());
    }

    /// <summary>The tensors that are saved: without those that follow from the base, with those that take the place of
    /// the base's.</summary>
    public IReadOnlyDictionary<string, Tensor> SavedWeights()
    {
        var weights = Weights();
        var saved = Injection.ForSaving?.Invoke(weights) ?? weights;
        return OfBase.Others.Count == 0
            ? saved
            : saved.Concat(OfBase.Others).ToDictionary(StringComparer.Ordinal);
    }

    /// <summary>Writes it as HF PEFT does.</summary>
    public void Save(string folder) =>
        AdapterFolder.Save(folder, Injection.SavedConfig ?? Injection.Config, SavedWeights());
}
