using OrtPeft.Adapters.Several;
using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters;

/// <summary>
/// The adapters on one base, by name and in the order in which they were added, and which of them it computes with.
/// There is always one. Not thread-safe while adapters change.
/// </summary>
public sealed class AdapterCollection
{
    private readonly Model _canonicalBase;
    private readonly AdapterSet _all;
    private IReadOnlyList<Adapter> _chosen;

    internal AdapterCollection(Model canonicalBase, Adapter first)
    {
        _canonicalBase = canonicalBase;
        _all = new AdapterSet(first);
        _chosen = [first];
        Active = ActiveAdapters.Of(canonicalBase, _chosen);
    }

    /// <summary>All adapters' names.</summary>
    public IReadOnlyList<string> Names => [.. _all.All.Select(static a => a.Name)];

    /// <summary>The names of the adapters that are chosen, also while they are disabled.</summary>
    public IReadOnlyList<string> ActiveNames => [.. _chosen.Select(static a => a.Name)];

    /// <summary>Whether the chosen adapters count; false after <see cref="Disable"/>. True at first.</summary>
    public bool IsEnabled => Active.Adapters.Count > 0;

    /// <summary>All adapters.</summary>
    internal IReadOnlyList<Adapter> All => _all.All;

    /// <summary>The adapters that the model computes with.</summary>
    internal ActiveAdapters Active { get; private set; }

    /// <summary>Where the weights come from.</summary>
    internal WeightOrigin Origin { get; } = new();

    /// <summary>Adds a freshly initialised adapter; it is not active yet.</summary>
    /// <param name="name">Letters, digits, <c>_</c> and <c>-</c>; the folder's name when saved.</param>
    /// <param name="config">Which method, and how; not necessarily that of the others.</param>
    /// <param name="seed">Fixes the initial weights. Default 0.</param>
    /// <exception cref="ConfigException">The name is taken, or the configuration does not fit the model.</exception>
    public void Add(string name, PeftConfig config, long seed = 0) =>
        _all.Add(name, () => Adapter.Create(name, _canonicalBase, config, seed).Matched());

    /// <summary>Adds an adapter with given weights; it is not active yet.</summary>
    /// <param name="name">Letters, digits, <c>_</c> and <c>-</c>; the folder's name when saved.</param>
    /// <param name="config">Which method, and how.</param>
    /// <param name="weights">The adapter's tensors by their names on disk.</param>
    /// <param name="source">What messages call the weights' origin.</param>
    /// <exception cref="ConfigException">The name is taken, or the adapter does not fit the model.</exception>
    public void Add(
        string name, PeftConfig config, IReadOnlyDictionary<string, Tensor> weights, string source = "weights")
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(weights);
        _all.Add(name, () => Adapter.For(name, _canonicalBase, config, weights, source, seed: 0));
        Origin.Add(weights, name);
    }

    /// <summary>Adds an adapter from disk; it is not active yet.</summary>
    /// <param name="name">Letters, digits, <c>_</c> and <c>-</c>.</param>
    /// <param name="folder">Holds <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>.</param>
    /// <exception cref="ConfigException">The name is taken, or the adapter does not fit the model.</exception>
    /// <exception cref="OnnxFormatException">A file is damaged.</exception>
    public void Load(string name, string folder) =>
        Add(name, AdapterFolder.LoadConfig(folder), AdapterFolder.LoadWeights(folder), folder);

    /// <summary>Chooses what the model computes with. A disabled model stays so until <see cref="Enable"/>.</summary>
    /// <param name="names">One adapter, or several that add to their layers' results; their order is their order in the
    /// graph.</param>
    /// <exception cref="ConfigException">There is no such adapter, or one cannot be beside others; what was chosen
    /// stays so.</exception>
    public void Set(params IReadOnlyList<string> names)
    {
        var chosen = _all.Of(names);
        var active = ActiveAdapters.Of(_canonicalBase, chosen);
        Active = IsEnabled ? active : Active with { Injection = new Injection(active.Injection.Config, []) };
        _chosen = chosen;
    }

    /// <summary>
    /// Makes the model the base again until <see cref="Enable"/>; nothing trains meanwhile. The adapters keep their
    /// weights.
    /// </summary>
    public void Disable() =>
        Active = IsEnabled ? ActiveAdapters.None(_canonicalBase, Active.Injection.Config) : Active;

    /// <summary>Lets the chosen adapters count again.</summary>
    public void Enable() => Active = IsEnabled ? Active : ActiveAdapters.Of(_canonicalBase, _chosen);

    /// <summary>Removes an adapter. Where it was the only active one, the first of the others becomes active.</summary>
    /// <param name="name">The adapter.</param>
    /// <exception cref="ConfigException">There is no such adapter, or no other.</exception>
    public void Delete(string name)
    {
        var adapter = _all[name];
        if (_all.All.Count == 1)
            throw new ConfigException($"'{name}' is the model's only adapter and stays; Disable() gives the base.");
        if (_chosen.Contains(adapter))
        {
            string[] rest = [.. ActiveNames.Where(n => n != name)];
            Set(rest.Length > 0 ? rest : [Names.First(n => n != name)]);
        }

        _all.Remove(name);
    }

    /// <summary>An adapter's configuration with every choice made.</summary>
    /// <param name="name">The adapter, active or not.</param>
    /// <returns>The configuration.</returns>
    /// <exception cref="ConfigException">There is no such adapter.</exception>
    public PeftConfig ConfigOf(string name) => _all[name].Injection.Config;

    /// <summary>The names in an adapter's configuration that the base does not have, so that they have no
    /// effect.</summary>
    /// <param name="name">The adapter, active or not.</param>
    /// <returns>A clause per entry, with what would match; none for an adapter that was made without weights.</returns>
    /// <exception cref="ConfigException">There is no such adapter.</exception>
    public IReadOnlyList<string> UnmatchedOf(string name) => _all[name].Unmatched;

    /// <summary>
    /// Weights of the base that an adapter's file had others for, such as an embedding that HF PEFT saved beside its
    /// adapter: they count while the adapter is active and are merged and saved with it.
    /// </summary>
    /// <param name="name">The adapter, active or not.</param>
    /// <returns>Tensors by their names on disk, float32; none for most adapters.</returns>
    /// <exception cref="ConfigException">There is no such adapter.</exception>
    public IReadOnlyDictionary<string, Tensor> BaseWeightsOf(string name) => _all[name].OfBase.Others;

    /// <summary>An adapter's current weights, buffers included, by their names on disk.</summary>
    /// <param name="name">The adapter, active or not.</param>
    /// <returns>Tensors that share the model's memory.</returns>
    /// <exception cref="ConfigException">There is no such adapter.</exception>
    public IReadOnlyDictionary<string, Tensor> WeightsOf(string name) => _all[name].Weights();

    /// <summary>The weights that an adapter's files hold: its own, or those that its encoder makes of them.</summary>
    /// <param name="name">The adapter, active or not.</param>
    /// <returns>Tensors by their names on disk.</returns>
    /// <exception cref="ConfigException">There is no such adapter.</exception>
    public IReadOnlyDictionary<string, Tensor> SavedWeightsOf(string name) => _all[name].SavedWeights();

    /// <summary>Writes all adapters; see <see cref="PeftModel.Save"/>.</summary>
    internal void Save(string folder)
    {
        foreach (var adapter in _all.All)
            adapter.Save(adapter.Name == PeftModel.DefaultName ? folder : Path.Combine(folder, adapter.Name));
    }
}
