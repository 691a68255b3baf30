using System.Globalization;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Quantization;

namespace OrtPeft.Adapters;

/// <summary>
/// A base model with one adapter in its graph. The base is not changed: the adapter stands in a copy of the graph that
/// shares the base's weights. Not thread-safe while weights are set.
/// </summary>
public sealed class PeftModel
{
    private readonly Model _original;
    private readonly Model _base;
    private readonly IPeftMethod _method;
    private readonly Injection _injection;

    private PeftModel(Model original, Model canonicalBase, Model adapted, IPeftMethod method, Injection injection)
    {
        _original = original;
        _base = canonicalBase;
        _method = method;
        _injection = injection;
        Model = adapted;
    }

    /// <summary>The model with the adapter: the base's inputs and outputs, adapter weights as initializers.</summary>
    public Model Model { get; }

    /// <summary>The configuration with every choice made: targets resolved, defaults filled in.</summary>
    public PeftConfig Config => _injection.Config;

    /// <summary>What trains, in the graph's order.</summary>
    public IReadOnlyList<AdapterParameter> Parameters => _injection.Parameters;

    /// <summary>What belongs to the adapter without training, such as VeRA's random projections.</summary>
    public IReadOnlyList<AdapterParameter> Buffers => _injection.Buffers;

    /// <summary>Values in <see cref="Model"/> whose gradient is not followed further.</summary>
    public IReadOnlyList<Value> Detached => _injection.Detached;

    /// <summary>
    /// How many positions the output has before the first input token's: the virtual tokens of prompt tuning. Tokens.
    /// </summary>
    public int VirtualTokens => _injection.VirtualTokens;

    /// <summary>
    /// How many of the base's positions the adapter takes, such as those of a prefix: inputs may be so much shorter
    /// than the base's context. Tokens.
    /// </summary>
    public int ReservedPositions => _injection.ReservedPositions;

    /// <summary>The number of elements that train.</summary>
    public long TrainableParameterCount => Parameters.Sum(static p => p.Value.Initializer!.Count);

    /// <summary>
    /// The number of elements of all weights, the base's and the adapter's; a quantised weight counts with its elements,
    /// not with its scales.
    /// </summary>
    public long TotalParameterCount => Model.Graph.Initializers
        .Where(static v => v.Type.IsFloating() && v.Initializer is { Dims.Length: 1 or 2, Count: > 1 })
        .Where(static v => !v.Uses.Any(static u => u.Node.Is("DequantizeLinear")))
        .Concat(Model.Graph.Nodes.Where(static n => QuantizedWeight.Find(n.Output) is not null)
            .Select(static n => n.Inputs[0]!))
        .Sum(static v => v.Initializer!.Count);

    /// <summary>Puts a freshly initialised adapter on a base.</summary>
    /// <param name="baseModel">The base; not changed.</param>
    /// <param name="config">Which method, and how.</param>
    /// <param name="seed">Fixes the initial weights. Default 0.</param>
    /// <returns>The adapted model.</returns>
    /// <exception cref="ConfigException">The configuration does not fit the model.</exception>
    /// <exception cref="UnsupportedOpException">The graph cannot be brought into canonical form, or hides layers in
    /// loops or in branches that data choose.</exception>
    public static PeftModel Create(Model baseModel, PeftConfig config, long seed = 0)
    {
        ArgumentNullException.ThrowIfNull(baseModel);
        var method = PeftMethods.Of(config);
        var canonical = baseModel.Clone();
        CanonicalForm.Apply(canonical);
        ControlFlow.Refuse(canonical);
        SharedVectors.Separate(canonical.Graph);
        var adapted = canonical.Clone();
        var injection = SavedModules.AddTo(adapted, method.Inject(adapted, config, seed));
        return new PeftModel(baseModel, canonical, adapted, method, injection);
    }

    /// <summary>Puts an adapter with given weights on a base.</summary>
    /// <param name="baseModel">The base; not changed.</param>
    /// <param name="config">Which method, and how.</param>
    /// <param name="weights">The adapter's tensors by name; they decide the form where a method has two, such as a prompt
    /// with its encoder and one saved without.</param>
    /// <param name="source">What messages call the weights' origin.</param>
    /// <returns>The adapted model.</returns>
    /// <exception cref="ConfigException">The adapter does not fit the model.</exception>
    public static PeftModel Create(
        Model baseModel, PeftConfig config, IReadOnlyDictionary<string, Tensor> weights, string source)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(weights);
        var model = Create(baseModel, config.FittedTo([.. weights.Keys]));
        model.SetWeights(weights, source);
        return model;
    }

    /// <summary>Puts an adapter from disk on a base.</summary>
    /// <param name="baseModel">The base; not changed.</param>
    /// <param name="folder">Holds <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>.</param>
    /// <returns>The adapted model.</returns>
    /// <exception cref="ConfigException">The adapter does not fit the model.</exception>
    /// <exception cref="OnnxFormatException">A file is damaged.</exception>
    public static PeftModel Load(Model baseModel, string folder) =>
        Create(baseModel, AdapterFolder.LoadConfig(folder), AdapterFolder.LoadWeights(folder), folder);

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

    /// <summary>The current weights, buffers included, by parameter name.</summary>
    /// <returns>Tensors that share the model's memory.</returns>
    public IReadOnlyDictionary<string, Tensor> GetWeights() => Parameters.Concat(Buffers)
        .ToDictionary(static p => p.Name, static p => p.Value.Initializer!, StringComparer.Ordinal);

    /// <summary>Replaces the adapter's weights; all or none.</summary>
    /// <param name="weights">One tensor per parameter, by name or alias; buffers and optional ones may be missing and then
    /// stay.</param>
    /// <param name="source">What messages call the weights' origin.</param>
    /// <exception cref="ConfigException">A tensor is missing, unknown, or of another shape: an adapter of another
    /// model.</exception>
    public void SetWeights(IReadOnlyDictionary<string, Tensor> weights, string source = "weights")
    {
        ArgumentNullException.ThrowIfNull(weights);
        var places = Parameters.Concat(Buffers.Select(static b => b with { IsOptional = true })).ToList();
        foreach (var (parameter, tensor) in AdapterCheck.Fit(places, weights, source))
            Model.Graph.SetInitializer(parameter.Value, tensor);
    }

    /// <summary>Writes the adapter alone, as HF PEFT does.</summary>
    /// <param name="folder">Receives <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>; created if
    /// missing.</param>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public void Save(string folder)
    {
        var weights = GetWeights();
        AdapterFolder.Save(folder, Config, _injection.ForSaving?.Invoke(weights) ?? weights);
    }

    /// <summary>Whether a node of the adapted graph, or of a copy, stands in the base too.</summary>
    internal bool IsOfBase(Node node) => _base.Graph.Find(node.Output.Name)?.Producer?.OpType == node.OpType;

    /// <summary>Whether the base chooses between graphs at run time, as Optimum's merged decoders do.</summary>
    public bool HasBranches => _original.Graph.Nodes.Any(static n => n.Subgraphs.Any());

    /// <summary>Folds the adapter into a copy of the base.</summary>
    /// <returns>
    /// The merged model, without a trace of the adapter's nodes; unchanged weights are shared with the base. A base
    /// with branches keeps them, and all read the merged weights; only where one of its weights stands for several
    /// parameters that now differ does the branch for sequences without a past remain alone.
    /// </returns>
    /// <exception cref="ConfigException">The method or its configuration cannot be folded in; the message says
    /// why.</exception>
    public Model Merge()
    {
        if (_method.Description.WhyNotMergeable is { } reason)
            throw new ConfigException($"{_method.Description.Title} cannot be merged: {reason}.");
        var weights = GetWeights();
        var merged = _base.Clone();
        _method.Merge(merged, Config, weights);
        SavedModules.Merge(merged, Config, weights);
        var result = HasBranches ? OriginalGraph.With(_original, _base, merged) ?? merged : merged;
        MergeRecord.Add(result, weights);
        return result;
    }

    /// <summary>
    /// The model to run: the adapter's nodes beside their layers, dropout off. In a base with branches the adapter is
    /// merged instead, for its nodes stand in the branch for training alone; one that cannot be merged runs in that
    /// branch, without a cache.
    /// </summary>
    /// <returns>A model of its own; it shares the weights.</returns>
    public Model ForInference()
    {
        var canMerge = _method.Description.WhyNotMergeable is null;
        var model = HasBranches && canMerge ? Merge() : Model.Clone();
        DropoutLowering.ForEvaluation(model);
        return model;
    }
}
