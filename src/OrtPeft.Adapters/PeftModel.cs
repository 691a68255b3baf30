using System.Globalization;
using OrtPeft.Adapters.Modules;
using OrtPeft.Adapters.Several;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Numerics;

namespace OrtPeft.Adapters;

/// <summary>
/// A base model with one adapter in its graph, or with several to choose from. The base is not changed: an adapter
/// stands in a copy of the graph that shares the base's weights, so switching and disabling copy nothing. Not
/// thread-safe while weights are set or adapters change.
/// </summary>
/// <seealso href="https://huggingface.co/docs/peft/package_reference/peft_model">HF PEFT's PeftModel, whose names these
/// are.</seealso>
public sealed class PeftModel
{
    /// <summary>The first adapter's name.</summary>
    public const string DefaultName = "default";

    private readonly BaseModel _base;
    private readonly AdapterSet _adapters;
    private IReadOnlyList<Adapter> _chosen;
    private ActiveAdapters _active;

    private PeftModel(BaseModel given, Adapter first)
    {
        _base = given;
        _adapters = new AdapterSet(first);
        _chosen = [first];
        _active = ActiveAdapters.Of(given.Canonical, _chosen);
    }

    /// <summary>The base as it was given; not to be changed.</summary>
    public Model Base => _base.Original;

    /// <summary>
    /// Where the weights come from: <c>seed</c> while they are those that a seed gives, otherwise a hash of the weights
    /// that were set, in their order. What training makes of them does not count.
    /// </summary>
    public string Origin { get; private set; } = "seed";

    /// <summary>
    /// The model with the active adapters: the base's inputs and outputs, adapter weights as initializers. Another one
    /// when <see cref="SetAdapter"/>, <see cref="Disable"/> or <see cref="Enable"/> change what is active.
    /// </summary>
    public Model Model => _active.Model;

    /// <summary>
    /// Whether files hold the active adapter in another form than it has here: a start that cannot be found again, such
    /// as that of <c>pissa_niter_N</c>, in A and B of twice the rank.
    /// </summary>
    public bool IsSavedInAnotherForm => _active.Injection.SavedConfig is not null;

    /// <summary>The base in canonical form, without adapters.</summary>
    public Model CanonicalBase => _base.Canonical;

    /// <summary>All adapters' names, in the order in which they were added.</summary>
    public IReadOnlyList<string> AdapterNames => [.. _adapters.All.Select(static a => a.Name)];

    /// <summary>The names of the adapters that are chosen, also while they are disabled.</summary>
    public IReadOnlyList<string> ActiveAdapterNames => [.. _chosen.Select(static a => a.Name)];

    /// <summary>Whether the chosen adapters count; false after <see cref="Disable"/>. True at first.</summary>
    public bool IsEnabled => _active.Adapters.Count > 0;

    /// <summary>
    /// The active adapter's configuration with every choice made: targets resolved, defaults filled in. Of several, the
    /// first one's.
    /// </summary>
    public PeftConfig Config => _active.Injection.Config;

    /// <summary>
    /// What trains, in the graph's order; nothing while disabled. Where several adapters are active, names are HF
    /// PEFT's in memory, with the adapter's in them: <c>….lora_A.chat.weight</c>.
    /// </summary>
    public IReadOnlyList<AdapterParameter> Parameters => _active.Injection.Parameters;

    /// <summary>What belongs to the adapter without training, such as VeRA's random projections.</summary>
    public IReadOnlyList<AdapterParameter> Buffers => _active.Injection.Buffers;

    /// <summary>Values in <see cref="Model"/> whose gradient is not followed further.</summary>
    public IReadOnlyList<Value> Detached => _active.Injection.Detached;

    /// <summary>
    /// What files hold of the active adapter instead of its parameters: values that <see cref="Model"/> computes from
    /// them alone, such as the virtual tokens that an encoder makes. None for most methods.
    /// </summary>
    public IReadOnlyList<AdapterParameter> Computed => _active.Injection.Computed;

    /// <summary>
    /// How many positions the output has before the first input token's: the virtual tokens of prompt tuning. Tokens.
    /// </summary>
    public int VirtualTokens => _active.Injection.VirtualTokens;

    /// <summary>
    /// How many of the base's positions the adapter takes, such as those of a prefix: inputs may be so much shorter
    /// than the base's context. Tokens.
    /// </summary>
    public int ReservedPositions => _active.Injection.ReservedPositions;

    /// <summary>The number of elements that train.</summary>
    public long TrainableParameterCount => Parameters.Sum(static p => p.Value.Initializer!.Count);

    /// <summary>
    /// The number of elements of all weights, the base's and the adapter's; a quantised weight counts with its
    /// elements, not with its scales.
    /// </summary>
    public long TotalParameterCount => WeightCatalogue.ElementCount(Model.Graph);

    /// <summary>Puts a freshly initialised adapter on a base.</summary>
    /// <param name="baseModel">The base; not changed.</param>
    /// <param name="config">Which method, and how.</param>
    /// <param name="seed">Fixes the initial weights. Default 0.</param>
    /// <param name="name">What the adapter is called; <see cref="DefaultName"/> when left out.</param>
    /// <returns>The adapted model.</returns>
    /// <exception cref="ConfigException">The configuration does not fit the model: a target, an exclusion, a layer or a
    /// pattern that it names matches nothing, for example.</exception>
    /// <exception cref="UnsupportedOpException">The graph cannot be brought into canonical form, or hides layers in
    /// loops or in branches that data choose.</exception>
    public static PeftModel Create(Model baseModel, PeftConfig config, long seed = 0, string name = DefaultName)
    {
        ArgumentNullException.ThrowIfNull(baseModel);
        Several.AdapterNames.Check(name);
        var given = BaseModel.Of(baseModel);
        return new PeftModel(given, Adapter.Create(name, given.Canonical, config, seed).Matched());
    }

    /// <summary>Puts an adapter with given weights on a base.</summary>
    /// <param name="baseModel">The base; not changed.</param>
    /// <param name="config">Which method, and how.</param>
    /// <param name="weights">The adapter's tensors by name; they decide the form where a method has two, such as a
    /// prompt with its encoder and one saved without.</param>
    /// <param name="source">What messages call the weights' origin.</param>
    /// <param name="name">What the adapter is called; <see cref="DefaultName"/> when left out.</param>
    /// <param name="seed">Fixes what is not among the weights, such as VeRA's projections. Default 0.</param>
    /// <returns>The adapted model. What the configuration names and the model does not have is allowed, as in HF PEFT;
    /// <see cref="UnmatchedOf"/> lists it.</returns>
    /// <exception cref="ConfigException">The adapter does not fit the model.</exception>
    public static PeftModel Create(
        Model baseModel,
        PeftConfig config,
        IReadOnlyDictionary<string, Tensor> weights,
        string source,
        string name = DefaultName,
        long seed = 0)
    {
        ArgumentNullException.ThrowIfNull(baseModel);
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(weights);
        Several.AdapterNames.Check(name);
        var given = BaseModel.Of(baseModel);
        var (adapter, own) = Adapter.For(name, given.Canonical, config, weights, source, seed);
        var model = new PeftModel(given, adapter);
        model._active.Set(own, source);
        model.Note(weights);
        return model;
    }

    /// <summary>Puts an adapter from disk on a base.</summary>
    /// <param name="baseModel">The base; not changed.</param>
    /// <param name="folder">Holds <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>.</param>
    /// <param name="name">What the adapter is called; <see cref="DefaultName"/> when left out.</param>
    /// <returns>The adapted model.</returns>
    /// <exception cref="ConfigException">The adapter does not fit the model.</exception>
    /// <exception cref="OnnxFormatException">A file is damaged.</exception>
    public static PeftModel Load(Model baseModel, string folder, string name = DefaultName) =>
        Create(baseModel, AdapterFolder.LoadConfig(folder), AdapterFolder.LoadWeights(folder), folder, name);

    /// <summary>
    /// Puts all adapters of a folder on a base, as <see cref="Save"/> and HF PEFT leave them; the first one is active.
    /// </summary>
    /// <param name="baseModel">The base; not changed.</param>
    /// <param name="folder">An adapter's folder, or one with adapters' folders in it, or both; see <see
    /// cref="AdapterFolder.AllIn"/>.</param>
    /// <returns>The adapted model.</returns>
    /// <exception cref="ConfigException">There is no adapter, or one does not fit the model.</exception>
    /// <exception cref="OnnxFormatException">A file is damaged.</exception>
    public static PeftModel LoadAll(Model baseModel, string folder)
    {
        var adapters = AdapterFolder.AllIn(folder);
        var first = adapters.Count > 0 ? adapters[0] : (Name: DefaultName, Folder: folder);
        var model = Load(baseModel, first.Folder, first.Name);
        foreach (var (name, place) in adapters.Skip(1))
            model.LoadAdapter(name, place);
        return model;
    }

    /// <summary>Adds a freshly initialised adapter beside the present ones; it is not active yet.</summary>
    /// <param name="name">Letters, digits, <c>_</c> and <c>-</c>; the folder's name when saved.</param>
    /// <param name="config">Which method, and how; not necessarily that of the others.</param>
    /// <param name="seed">Fixes the initial weights. Default 0.</param>
    /// <exception cref="ConfigException">The name is taken, or the configuration does not fit the model.</exception>
    public void AddAdapter(string name, PeftConfig config, long seed = 0) =>
        _adapters.Add(name, () => Adapter.Create(name, _base.Canonical, config, seed).Matched());

    /// <summary>Adds an adapter with given weights beside the present ones; it is not active yet.</summary>
    /// <param name="name">Letters, digits, <c>_</c> and <c>-</c>; the folder's name when saved.</param>
    /// <param name="config">Which method, and how.</param>
    /// <param name="weights">The adapter's tensors by their names on disk.</param>
    /// <param name="source">What messages call the weights' origin.</param>
    /// <exception cref="ConfigException">The name is taken, or the adapter does not fit the model.</exception>
    public void AddAdapter(
        string name, PeftConfig config, IReadOnlyDictionary<string, Tensor> weights, string source = "weights")
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(weights);
        _adapters.Add(name, () =>
        {
            var (adapter, own) = Adapter.For(name, _base.Canonical, config, weights, source, seed: 0);
            ActiveAdapters.Of(_base.Canonical, [adapter]).Set(own, source);
            return adapter;
        });
        Note(weights, name);
    }

    /// <summary>Adds an adapter from disk beside the present ones; it is not active yet.</summary>
    /// <param name="name">Letters, digits, <c>_</c> and <c>-</c>.</param>
    /// <param name="folder">Holds <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>.</param>
    /// <exception cref="ConfigException">The name is taken, or the adapter does not fit the model.</exception>
    /// <exception cref="OnnxFormatException">A file is damaged.</exception>
    public void LoadAdapter(string name, string folder) =>
        AddAdapter(name, AdapterFolder.LoadConfig(folder), AdapterFolder.LoadWeights(folder), folder);

    /// <summary>Chooses what the model computes with. A disabled model stays so until <see cref="Enable"/>.</summary>
    /// <param name="names">One adapter, or several that add to their layers' results; their order is their order in the
    /// graph.</param>
    /// <exception cref="ConfigException">There is no such adapter, or one cannot be beside others; what was chosen
    /// stays so.</exception>
    public void SetAdapter(params IReadOnlyList<string> names)
    {
        var chosen = _adapters.Of(names);
        var active = ActiveAdapters.Of(_base.Canonical, chosen);
        _active = IsEnabled ? active : _active with { Injection = new Injection(active.Injection.Config, []) };
        _chosen = chosen;
    }

    /// <summary>
    /// Makes the model the base again until <see cref="Enable"/>; nothing trains meanwhile. The adapters keep their
    /// weights.
    /// </summary>
    public void Disable() => _active = IsEnabled ? ActiveAdapters.None(_base.Canonical, Config) : _active;

    /// <summary>Lets the chosen adapters count again.</summary>
    public void Enable() => _active = IsEnabled ? _active : ActiveAdapters.Of(_base.Canonical, _chosen);

    /// <summary>Forgets an adapter. Where it was the only active one, the first of the others becomes active.</summary>
    /// <param name="name">The adapter.</param>
    /// <exception cref="ConfigException">There is no such adapter, or no other.</exception>
    public void DeleteAdapter(string name)
    {
        var adapter = _adapters[name];
        if (_adapters.All.Count == 1)
            throw new ConfigException($"'{name}' is the model's only adapter and stays; Disable() gives the base.");
        if (_chosen.Contains(adapter))
        {
            string[] rest = [.. ActiveAdapterNames.Where(n => n != name)];
            SetAdapter(rest.Length > 0 ? rest : [AdapterNames.First(n => n != name)]);
        }

        _adapters.Remove(name);
    }

    /// <summary>An adapter's configuration with every choice made.</summary>
    /// <param name="name">The adapter, active or not.</param>
    /// <returns>The configuration.</returns>
    /// <exception cref="ConfigException">There is no such adapter.</exception>
    public PeftConfig ConfigOf(string name) => _adapters[name].Injection.Config;

    /// <summary>What an adapter's configuration names and the base does not have, so that it has no effect.</summary>
    /// <param name="name">The adapter, active or not.</param>
    /// <returns>A clause per entry, with what would match; none for an adapter that was made without weights.</returns>
    /// <exception cref="ConfigException">There is no such adapter.</exception>
    public IReadOnlyList<string> UnmatchedOf(string name) => _adapters[name].Unmatched;

    /// <summary>
    /// Weights of the base that an adapter's file had others for, such as an embedding that HF PEFT saved beside its
    /// adapter: they count while the adapter is active and are merged and saved with it.
    /// </summary>
    /// <param name="name">The adapter, active or not.</param>
    /// <returns>Tensors by their names on disk, float32; none for most adapters.</returns>
    /// <exception cref="ConfigException">There is no such adapter.</exception>
    public IReadOnlyDictionary<string, Tensor> BaseWeightsOf(string name) => _adapters[name].OfBase.Others;

    /// <summary>An adapter's current weights, buffers included, by their names on disk.</summary>
    /// <param name="name">The adapter, active or not.</param>
    /// <returns>Tensors that share the model's memory.</returns>
    /// <exception cref="ConfigException">There is no such adapter.</exception>
    public IReadOnlyDictionary<string, Tensor> WeightsOf(string name) => _adapters[name].Weights();

    /// <summary>How many parameters train, in the words of HF PEFT.</summary>
    /// <returns>One line.</returns>
    public string DescribeTrainableParameters()
    {
        var (trainable, all) = (TrainableParameterCount, TotalParameterCount);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"trainable params: {trainable:N0} || all params: {all:N0} || trainable%: {100.0 * trainable / all:F4}");
    }

    /// <summary>Prints <see cref="DescribeTrainableParameters"/>, as HF PEFT's method of this name.</summary>
    /// <param name="output">Where to; the console when left out.</param>
    public void PrintTrainableParameters(TextWriter? output = null) =>
        (output ?? Console.Out).WriteLine(DescribeTrainableParameters());

    /// <summary>The active adapters' current weights, buffers included, by parameter name.</summary>
    /// <returns>Tensors that share the model's memory.</returns>
    public IReadOnlyDictionary<string, Tensor> GetWeights() => Parameters.Concat(Buffers)
        .ToDictionary(static p => p.Name, static p => p.Value.Initializer!, StringComparer.Ordinal);

    /// <summary>What files hold of an adapter: its weights, or what its encoder makes of them.</summary>
    /// <param name="name">The adapter, active or not.</param>
    /// <returns>Tensors by their names on disk.</returns>
    /// <exception cref="ConfigException">There is no such adapter.</exception>
    public IReadOnlyDictionary<string, Tensor> SavedWeightsOf(string name) => _adapters[name].SavedWeights();

    /// <summary>Replaces the active adapters' weights; all or none.</summary>
    /// <param name="weights">One tensor per parameter, by name or alias; buffers and optional ones may be missing and
    /// then stay.</param>
    /// <param name="source">What messages call the weights' origin.</param>
    /// <exception cref="ConfigException">A tensor is missing, unknown, or of another shape: an adapter of another
    /// model; or the adapters are disabled.</exception>
    public void SetWeights(IReadOnlyDictionary<string, Tensor> weights, string source = "weights")
    {
        ArgumentNullException.ThrowIfNull(weights);
        _active.Set(WithoutBase(weights, source), source);
        Note(weights);
    }

    /// <summary>Replaces the active adapters' weights by what training made of them.</summary>
    internal void SetTrained(IReadOnlyDictionary<string, Tensor> weights) => _active.Set(weights, "weights");

    /// <summary>
    /// Writes all adapters, as HF PEFT does: the one called <see cref="DefaultName"/> into the folder, every other into
    /// a folder of its name inside.
    /// </summary>
    /// <param name="folder">Receives <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>; created if
    /// missing.</param>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public void Save(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        foreach (var adapter in _adapters.All)
            adapter.Save(adapter.Name == DefaultName ? folder : Path.Combine(folder, adapter.Name));
    }

    /// <summary>Whether a node of the adapted graph, or of a copy, stands in the base too.</summary>
    /// <param name="node">The node.</param>
    /// <returns>Whether the base has a node of that operator that makes a value of that name.</returns>
    public bool IsOfBase(Node node) =>
        _base.Canonical.Graph.Find(node.Output.Name)?.Producer?.OpType == node.OpType;

    /// <summary>Whether the base chooses between graphs at run time, as Optimum's merged decoders do.</summary>
    public bool HasBranches => _base.HasBranches;

    /// <summary>
    /// Folds the active adapters into a copy of the base. This model stays as it is, so to unmerge is to go on with it;
    /// the merged model takes further adapters as any base does.
    /// </summary>
    /// <returns>
    /// The merged model, without a trace of the adapters' nodes; unchanged weights are shared with the base. A base
    /// with branches keeps them, and all read the merged weights; only where one of its weights stands for several
    /// parameters that now differ does the branch for sequences without a past remain alone.
    /// </returns>
    /// <exception cref="ConfigException">The method or its configuration cannot be folded in, or the adapters are
    /// disabled; the message says why.</exception>
    public Model Merge()
    {
        if (!IsEnabled)
            throw new ConfigException("The adapters are disabled, so there is nothing to merge; call Enable() first.");
        var merged = _base.Leaving(_active.MergeInto(_base.Canonical.Clone()));
        _active.RecordMerge(merged);
        return merged;
    }

    /// <summary>
    /// The model to run: the active adapters' nodes beside their layers, dropout off. In a base with branches they are
    /// merged instead, for their nodes stand in the branch for training alone; one that cannot be merged runs in that
    /// branch, without a cache. While disabled, the base.
    /// </summary>
    /// <returns>A model of its own; it shares the weights.</returns>
    public Model ForInference()
    {
        var canMerge = _active.Adapters.All(static a => a.Method.Description.WhyNotMergeable is null);
        var model = !HasBranches || !canMerge ? Model.Clone() : IsEnabled ? Merge() : _base.Original.Clone();
        DropoutLowering.ForEvaluation(model);
        return model;
    }

    /// <summary>A file may have the base's own weights beside the adapter's; others need a graph made for
    /// them.</summary>
    private IReadOnlyDictionary<string, Tensor> WithoutBase(IReadOnlyDictionary<string, Tensor> weights, string source)
    {
        if (_active.Adapters is not [var only])
            return weights;
        var ofBase = BaseWeights.Find(_base.Canonical, only.Injection, weights, source);
        return ofBase.Others.Keys.FirstOrDefault() is { } name
            ? throw new ConfigException(
                $"{source}: '{name}' takes the place of the base's; give it when the adapter is made (Create, "
                + "AddAdapter).")
            : ofBase.Without(weights);
    }

    private void Note(IReadOnlyDictionary<string, Tensor> weights, string name = "")
    {
        var hash = new ContentHash();
        hash.Add($"{Origin} {name}");
        foreach (var (tensor, value) in weights.OrderBy(static w => w.Key, StringComparer.Ordinal))
            hash.Add(tensor, value);
        Origin = hash.Text;
    }
}
