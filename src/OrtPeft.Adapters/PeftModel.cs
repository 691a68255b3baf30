using System.Globalization;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;

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

    private PeftModel(Model original, Model canonicalBase, Model adapted, IPeftMethod method, Injection injection)
    {
        _original = original;
        _base = canonicalBase;
        _method = method;
        Model = adapted;
        Config = injection.Config;
        Parameters = injection.Parameters;
    }

    /// <summary>The model with the adapter: the base's inputs and outputs, adapter weights as initializers.</summary>
    public Model Model { get; }

    /// <summary>The configuration with every choice made: targets resolved, defaults filled in.</summary>
    public PeftConfig Config { get; }

    /// <summary>What trains, in the graph's order.</summary>
    public IReadOnlyList<AdapterParameter> Parameters { get; }

    /// <summary>The number of elements that train.</summary>
    public long TrainableParameterCount => Parameters.Sum(static p => p.Value.Initializer!.Count);

    /// <summary>The number of elements of all weights, the base's and the adapter's.</summary>
    public long TotalParameterCount => Model.Graph.Initializers
        .Where(static v => v.Type.IsFloating() && v.Initializer is { Dims.Length: 1 or 2, Count: > 1 })
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
        var adapted = canonical.Clone();
        return new PeftModel(baseModel, canonical, adapted, method, method.Inject(adapted, config, seed));
    }

    /// <summary>Puts an adapter from disk on a base.</summary>
    /// <param name="baseModel">The base; not changed.</param>
    /// <param name="folder">Holds <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>.</param>
    /// <returns>The adapted model.</returns>
    /// <exception cref="ConfigException">The adapter does not fit the model.</exception>
    /// <exception cref="OnnxFormatException">A file is damaged.</exception>
    public static PeftModel Load(Model baseModel, string folder)
    {
        var model = Create(baseModel, AdapterFolder.LoadConfig(folder));
        model.SetWeights(AdapterFolder.LoadWeights(folder), folder);
        return model;
    }

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

    /// <summary>The current weights by parameter name.</summary>
    /// <returns>Tensors that share the model's memory.</returns>
    public IReadOnlyDictionary<string, Tensor> GetWeights() =>
        Parameters.ToDictionary(static p => p.Name, static p => p.Value.Initializer!, StringComparer.Ordinal);

    /// <summary>Replaces the adapter's weights; all or none.</summary>
    /// <param name="weights">One tensor per parameter, by name; biases of the base may be missing and then
    /// stay.</param>
    /// <param name="source">What messages call the weights' origin.</param>
    /// <exception cref="ConfigException">A tensor is missing, unknown, or of another shape: an adapter of another
    /// model.</exception>
    public void SetWeights(IReadOnlyDictionary<string, Tensor> weights, string source = "weights")
    {
        ArgumentNullException.ThrowIfNull(weights);
        AdapterCheck.Fits(Parameters, weights, source);
        var given = Parameters.Where(p => weights.ContainsKey(p.Name))
            .Select(p => (p.Value, Tensor: AdapterCheck.InTypeOf(p, weights[p.Name])))
            .ToList();
        foreach (var (value, tensor) in given)
            Model.Graph.SetInitializer(value, tensor);
    }

    /// <summary>Writes the adapter alone, as HF PEFT does.</summary>
    /// <param name="folder">Receives <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>; created if
    /// missing.</param>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public void Save(string folder) => AdapterFolder.Save(folder, Config, GetWeights());

    /// <summary>Whether the base chooses between graphs at run time, as Optimum's merged decoders do.</summary>
    public bool HasBranches => _original.Graph.Nodes.Any(static n => n.Subgraphs.Any());

    /// <summary>Folds the adapter into a copy of the base.</summary>
    /// <returns>
    /// The merged model, without a trace of the adapter's nodes; unchanged weights are shared with the base. A base
    /// with branches keeps them, and all read the merged weights; only where one of its weights stands for several
    /// parameters that now differ does the branch for sequences without a past remain alone.
    /// </returns>
    public Model Merge()
    {
        var merged = _base.Clone();
        _method.Merge(merged, Config, GetWeights());
        return HasBranches ? OriginalGraph.With(_original, _base, merged) ?? merged : merged;
    }

    /// <summary>
    /// The model to run: the adapter's nodes beside their layers, dropout off. In a base with branches the adapter is
    /// merged instead, for its nodes stand in the branch for training alone.
    /// </summary>
    /// <returns>A model of its own; it shares the weights.</returns>
    public Model ForInference()
    {
        var model = HasBranches ? Merge() : Model.Clone();
        DropoutLowering.ForEvaluation(model);
        return model;
    }
}
