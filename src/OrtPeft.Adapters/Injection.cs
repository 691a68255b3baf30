using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters;

/// <summary>The changes that a method made to a graph.</summary>
/// <param name="Config">The configuration with every choice made: targets resolved, defaults filled in.</param>
/// <param name="Parameters">What trains, in the graph's order.</param>
public sealed record Injection(PeftConfig Config, IReadOnlyList<AdapterParameter> Parameters)
{
    /// <summary>Initializers that belong to the adapter and are saved with it, but do not train.</summary>
    public IReadOnlyList<AdapterParameter> Buffers { get; init; } = [];

    /// <summary>
    /// Values whose gradient is not followed further, as PyTorch's <c>detach</c>: they count as constants.
    /// </summary>
    public IReadOnlyList<Value> Detached { get; init; } = [];

    /// <summary>
    /// The number of positions that the adapted graph has before the first token of its input: the output's sequence
    /// axis is this much longer than the input's. Tokens; 0 by default.
    /// </summary>
    public int VirtualTokens { get; init; }

    /// <summary>
    /// How many of the model's positions the adapter takes before the input's first token, so that less of the context
    /// is left. Tokens; 0 by default.
    /// </summary>
    public int ReservedPositions { get; init; }

    /// <summary>
    /// The values that files hold instead of the parameters, computed from them alone in the graph, such as what a
    /// prompt's encoder makes; none by default.
    /// </summary>
    public IReadOnlyList<AdapterParameter> Computed { get; init; } = [];

    /// <summary>
    /// Folds trained weights into a copy of the base, in the places that were chosen here; null (default) where the
    /// method cannot, for the reason in <see cref="MethodDescription.WhyNotMergeable"/>.
    /// </summary>
    public Folding? Merge { get; init; }

    /// <summary>
    /// From trained weights and buffers to a product of two factors for each layer, where these are all that the method
    /// changes; null (default) where they are not, and for LoRA, whose weights are such factors.
    /// </summary>
    internal Func<IReadOnlyDictionary<string, Tensor>, IEnumerable<LowRankChange>>? LowRank { get; init; }

    /// <summary>
    /// The configuration of what <see cref="ForSaving"/> gives, where that is an adapter of another form; null
    /// (default) when it is <see cref="Config"/>.
    /// </summary>
    public PeftConfig? SavedConfig { get; init; }

    /// <summary>
    /// From the trained weights to what is saved, both by name, where they differ; null (default) saves parameters and
    /// buffers as they are.
    /// </summary>
    public Func<IReadOnlyDictionary<string, Tensor>, IReadOnlyDictionary<string, Tensor>>? ForSaving { get; init; }

    /// <summary>The parameters that change a module but for its bias, and the part of it that each is: <c>weight</c> for a copy
    /// of the whole.</summary>
    /// <param name="module">Its path in the source model.</param>
    internal IEnumerable<(AdapterParameter Parameter, string Part)> ChangesOf(string module)
    {
        var saved = Config.NameOfSaved($"{module}.weight");
        foreach (var parameter in Parameters)
        {
            if ((parameter.Name == saved ? "weight" : HfName.PartOf(parameter.Name, module)) is { } part && !HfName.IsBias(part))
                yield return (parameter, part);
        }
    }
}
