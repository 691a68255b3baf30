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
    /// <summary>What trains, then what does not.</summary>
    public IEnumerable<AdapterParameter> Tensors => Injection.Parameters.Concat(Injection.Buffers);

    /// <summary>What its configuration names and the base does not have, a clause each.</summary>
    public IReadOnlyList<string> Unmatched { get; private init; } = [];

    /// <summary>Makes a fresh adapter; entries of the configuration that match nothing are left for <see
    /// cref="Unmatched"/>.</summary>
    public static Adapter Create(string name, Model canonicalBase, PeftConfig config, long seed)
    {
        var method = PeftMethods.Of(config);
        var adapted = canonicalBase.Clone();
        var injection = method.Inject(adapted, config, seed);
        return new Adapter(name, method, seed, adapted, SavedModules.AddTo(adapted, injection))
        {
            Unmatched = UnmatchedNames.Of(canonicalBase.Graph, config, injection),
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
        var weights = Weights();
        Method.Merge(model, Injection.Config, weights);
        SavedModules.Merge(model, Injection.Config, weights);
    }

    /// <summary>What is saved of it: what follows from the base is not.</summary>
    public IReadOnlyDictionary<string, Tensor> SavedWeights()
    {
        var weights = Weights();
        return Injection.ForSaving?.Invoke(weights) ?? weights;
    }

    /// <summary>Writes it as HF PEFT does.</summary>
    public void Save(string folder) =>
        AdapterFolder.Save(folder, Injection.SavedConfig ?? Injection.Config, SavedWeights());
}
