using OrtPeft.Adapters.Modules;
using OrtPeft.Adapters.Several;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters;

/// <summary>
/// A base model with adapters in its graph: what it computes with, what trains, and the weights. Which adapters there
/// are and which of them count is up to <see cref="Adapters"/>. The base is not changed: an adapter stands in a copy of
/// the graph that shares the base's weights, so switching and disabling copy nothing. Not thread-safe while weights are
/// set or adapters change.
/// </summary>
/// <seealso href="https://huggingface.co/docs/peft/package_reference/peft_model">HF PEFT's PeftModel, whose names these
/// are.</seealso>
public sealed class PeftModel
{
    /// <summary>The first adapter's name.</summary>
    public const string DefaultName = "default";

    private PeftModel(BaseModel given, Adapter first)
    {
        Given = given;
        Adapters = new AdapterCollection(given.Canonical, first);
    }

    /// <summary>The adapters by name, and which of them the model computes with.</summary>
    public AdapterCollection Adapters { get; }

    /// <summary>The base as it was given; not to be changed.</summary>
    public Model Base => Given.Original;

    /// <summary>
    /// Where the weights come from: <c>seed</c> while they are those that a seed gives, otherwise a hash of the weights
    /// that were set, in their order. What training makes of them does not count.
    /// </summary>
    public string Origin => Adapters.Origin.Text;

    /// <summary>
    /// The model with the active adapters: the base's inputs and outputs, adapter weights as initializers. Another one
    /// when <see cref="Adapters"/> change what is active.
    /// </summary>
    public Model Model => Active.Model;

    /// <summary>
    /// Whether files hold the active adapter in another form than it has here: a start that cannot be found again, such
    /// as that of <c>pissa_niter_N</c>, in A and B of twice the rank.
    /// </summary>
    public bool IsSavedInAnotherForm => Active.Injection.SavedConfig is not null;

    /// <summary>The base in canonical form, without adapters.</summary>
    public Model CanonicalBase => Given.Canonical;

    /// <summary>
    /// The active adapter's configuration with every choice made: targets resolved, defaults filled in. Of several, the
    /// first one's.
    /// </summary>
    public PeftConfig Config => Active.Injection.Config;

    /// <summary>
    /// The parameters that train, in the graph's order; nothing while disabled. Where several adapters are active,
    /// names are HF PEFT's in memory, with the adapter's in them: <c>….lora_A.chat.weight</c>.
    /// </summary>
    public IReadOnlyList<AdapterParameter> Parameters => Active.Injection.Parameters;

    /// <summary>Tensors that belong to the adapter but do not train, such as VeRA's random projections.</summary>
    public IReadOnlyList<AdapterParameter> Buffers => Active.Injection.Buffers;

    /// <summary>Values in <see cref="Model"/> whose gradient is not followed further.</summary>
    public IReadOnlyList<Value> Detached => Active.Injection.Detached;

    /// <summary>
    /// The part of the active adapter that files hold instead of its parameters: values that <see cref="Model"/>
    /// computes from them alone, such as the virtual tokens that an encoder makes. None for most methods.
    /// </summary>
    public IReadOnlyList<AdapterParameter> Computed => Active.Injection.Computed;

    /// <summary>
    /// How many positions the output has before the first input token's: the virtual tokens of prompt tuning. Tokens.
    /// </summary>
    public int VirtualTokens => Active.Injection.VirtualTokens;

    /// <summary>
    /// How many of the base's positions the adapter takes, such as those of a prefix: inputs may be so much shorter
    /// than the base's context. Tokens.
    /// </summary>
    public int ReservedPositions => Active.Injection.ReservedPositions;

    /// <summary>
    /// Adapted layers whose path in the source model the graph does not tell: their names are stable here, but HF PEFT
    /// knows no module of them. Walks the graph.
    /// </summary>
    public IReadOnlyList<string> ModulesWithoutSourceName =>
        [.. Adapted.Where(static m => !m.HasSourceName).Select(static m => m.Name)];

    /// <summary>
    /// Adapted layers of a graph of ONNX Runtime GenAI's builder that may be parts of another layer in HF's model, as in
    /// Phi-3, since nothing tells the model's family: GenAI's <c>genai_config.json</c> would. Walks the graph.
    /// </summary>
    public IReadOnlyList<string> ModulesPerhapsPacked =>
        BuilderNames.IsOfUnknownFamily(Given.Original)
        && !LlamaRelatives.IsQwen(CanonicalBase.Graph) && !LlamaRelatives.IsGemma(CanonicalBase.Graph)
            ? [.. AdaptedModules.Where(static m => BuilderNames.PackedLayers.Any(l => l.Parts.Contains(DecoderFamilies.Last(m))))]
            : [];

    /// <summary>
    /// Layers and embeddings that have LoRA's A and B in the graph as it was given; these stay as they are, as a part of the
    /// base. Walks the graph.
    /// </summary>
    public IReadOnlyList<string> ModulesWithLora =>
    [
        .. EmbeddingCatalogue.Embeddings(CanonicalBase.Graph).Where(static m => m.Adapter == PresentAdapter.Lora)
            .Select(static m => m.Name),
        .. ModuleCatalogue.LinearModules(CanonicalBase.Graph).Where(static m => m.Adapter == PresentAdapter.Lora)
            .Select(static m => m.Name),
    ];

    /// <summary>The names of the linear layers that the adapter changes, in the graph's order. Walks the graph.</summary>
    public IReadOnlyList<string> AdaptedModules => [.. Adapted.Select(static m => m.Name)];

    private IEnumerable<LinearModule> Adapted => ModuleCatalogue.LinearModules(CanonicalBase.Graph)
        .Where(m => Parameters.Any(p => HfName.PartOf(p.Name, m.Name) is not null));

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
        AdapterNames.Check(name);
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
    /// <see cref="AdapterCollection.UnmatchedOf"/> lists it.</returns>
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
        AdapterNames.Check(name);
        var given = BaseModel.Of(baseModel);
        var model = new PeftModel(given, Adapter.For(name, given.Canonical, config, weights, source, seed));
        model.Adapters.Origin.Add(weights);
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
            model.Adapters.Load(name, place);
        return model;
    }

    /// <summary>The active adapters' current weights, buffers included, by parameter name.</summary>
    /// <returns>Tensors that share the model's memory.</returns>
    public IReadOnlyDictionary<string, Tensor> GetWeights() => Parameters.Concat(Buffers)
        .ToDictionary(static p => p.Name, static p => p.Value.Initializer!, StringComparer.Ordinal);

    /// <summary>Replaces the active adapters' weights; all or none.</summary>
    /// <param name="weights">One tensor per parameter, by name or alias; buffers and optional ones may be missing and
    /// then stay.</param>
    /// <param name="source">What messages call the weights' origin.</param>
    /// <exception cref="ConfigException">A tensor is missing, unknown, or of another shape: an adapter of another
    /// model; or the adapters are disabled.</exception>
    public void SetWeights(IReadOnlyDictionary<string, Tensor> weights, string source = "weights")
    {
        ArgumentNullException.ThrowIfNull(weights);
        var own = Parameters.Concat(Buffers).Select(static p => p.Name).ToHashSet(StringComparer.Ordinal);
        weights = WrappedNames.Plain(weights, source, own.Contains);
        Active.Set(WithoutBase(weights, source), source);
        Adapters.Origin.Add(weights);
    }

    /// <summary>Replaces the active adapters' weights by what training made of them.</summary>
    internal void SetTrained(IReadOnlyDictionary<string, Tensor> weights) => Active.Set(weights, "weights");

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
        Adapters.Save(folder);
    }

    /// <summary>Whether a node of the adapted graph, or of a copy, stands in the base too.</summary>
    /// <param name="node">The node.</param>
    /// <returns>Whether the base has a node of that operator that makes a value of that name.</returns>
    public bool IsOfBase(Node node) =>
        Given.Canonical.Graph.Find(node.Output.Name)?.Producer?.OpType == node.OpType;

    /// <summary>Whether the base chooses between graphs at run time, as Optimum's merged decoders do.</summary>
    public bool HasBranches => Given.HasBranches;

    /// <summary>The base, as it was given and in canonical form.</summary>
    internal BaseModel Given { get; }

    private ActiveAdapters Active => Adapters.Active;

    /// <summary>A file may have the base's own weights beside the adapter's; others need a graph made for
    /// them.</summary>
    private IReadOnlyDictionary<string, Tensor> WithoutBase(IReadOnlyDictionary<string, Tensor> weights, string source)
    {
        if (Active.Adapters is not [var only])
            return weights;
        var ofBase = BaseWeights.Find(Given.Canonical, only.Injection, weights, source);
        return ofBase.Others.Keys.FirstOrDefault() is { } name
            ? throw ConfigException.At(
                source,
                $"'{name}' takes the place of the base's; give it when the adapter is made (Create, Adapters.Add).")
            : ofBase.Without(weights);
    }
}
