using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.PromptLearning;

/// <summary>
/// Builds the network that makes the virtual tokens, which are the same for every input: it reads trained tables only.
/// Parameters begin as PyTorch begins its modules, and are named as in HF PEFT.
/// </summary>
internal sealed class PromptEncoder
{
    private const string Root = "prompt_encoder";

    private readonly List<AdapterParameter> _parameters = [];
    private readonly long _seed;

    /// <summary>Starts at the beginning of a graph.</summary>
    public PromptEncoder(GraphBuilder g, long seed)
    {
        Builder = g;
        _seed = seed;
        g.Scope = $"/{Root}";
        g.Before = g.Graph.Nodes[0];
    }

    public GraphBuilder Builder { get; }

    public IReadOnlyList<AdapterParameter> Parameters => _parameters;

    /// <summary>The virtual tokens without a network, <c>[P, width]</c>.</summary>
    public Value Flat(Tensor content) => Parameter(PromptLearningConfig.PromptName, content);

    /// <summary>Fresh numbers for <see cref="Flat"/>: normal with deviation 1, as PyTorch's Embedding.</summary>
    public Tensor Random(long tokens, long width) =>
        InitialWeights.Normal(_seed, PromptLearningConfig.PromptName, 1, tokens, width);

    /// <summary>PyTorch's Embedding, <c>[tokens, width]</c>: normal with deviation 1.</summary>
    public Value Embedding(string name, long tokens, long width)
    {
        var full = $"{Root}.{name}.weight";
        return Parameter(full, InitialWeights.Normal(_seed, full, 1, tokens, width));
    }

    /// <summary>PyTorch's Linear: x·Wᵀ + b, both uniform within 1/√in, or zero.</summary>
    public Value Linear(string name, Value x, long outFeatures, bool isZero = false)
    {
        var inFeatures = x.Shape![1].Value!.Value;
        var bound = isZero ? 0 : 1 / Math.Sqrt(inFeatures);
        var weight = Uniform($"{name}.weight", bound, outFeatures, inFeatures);
        return Builder.Gemm(x, weight, Uniform($"{name}.bias", bound, outFeatures), transB: true);
    }

    /// <summary>A parameter, uniform within a bound.</summary>
    public Value Uniform(string name, double bound, params ReadOnlySpan<long> dims)
    {
        var full = $"{Root}.{name}";
        return Parameter(full, InitialWeights.Uniform(_seed, full, bound, dims));
    }

    /// <summary>From the trained network to the tensor that files hold.</summary>
    /// <param name="prompt">What the network makes, <c>[P, width]</c>.</param>
    /// <returns>Null where <paramref name="prompt"/> is the parameter itself.</returns>
    public Func<IReadOnlyDictionary<string, Tensor>, IReadOnlyDictionary<string, Tensor>>? ForSaving(Value prompt)
    {
        if (prompt.Producer is null)
            return null;
        var parameters = _parameters.ToArray();
        return weights => new Dictionary<string, Tensor>(StringComparer.Ordinal)
        {
            [PromptLearningConfig.PromptName] = MatrixEvaluation.Of(
                prompt, parameters.ToDictionary(static p => p.Value, p => weights[p.Name])),
        };
    }

    /// <summary>The parameter that files hold where the network makes the prompt.</summary>
    /// <param name="prompt">What the network makes, <c>[P, width]</c>.</param>
    /// <returns>Nothing where <paramref name="prompt"/> is the parameter itself.</returns>
    public static IReadOnlyList<AdapterParameter> Computed(Value prompt) =>
        prompt.Producer is null ? [] : [new AdapterParameter(PromptLearningConfig.PromptName, prompt)];

    private Value Parameter(string name, Tensor content)
    {
        var value = Builder.Graph.AddInitializer(Builder.Graph.FreshName(name), content);
        _parameters.Add(new AdapterParameter(name, value));
        return value;
    }
}
