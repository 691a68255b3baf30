using OrtPeft.Onnx;

namespace OrtPeft.Adapters;

/// <summary>A tensor of an adapter.</summary>
/// <param name="Name">Its name in HF PEFT's state dictionary; the name on disk.</param>
/// <param name="Value">Where it stands in the model's graph: an initializer that holds the current weights, or, of what
/// is computed from those, the result.</param>
public sealed record AdapterParameter(string Name, Value Value)
{
    /// <summary>Other names that files may have for it; none by default.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];

    /// <summary>Other names that files may have its transpose under; none by default.</summary>
    internal IReadOnlyList<string> TransposedAliases { get; init; } = [];

    /// <summary>All names that files may have for it or its transpose, its own first.</summary>
    internal IEnumerable<string> AllNames => [Name, .. Aliases, .. TransposedAliases];

    /// <summary>Whether files may leave it out; it then keeps its value. Default false.</summary>
    public bool IsOptional { get; init; }

    /// <summary>Its role in the method; LoRA+ gives B a higher rate.</summary>
    /// <seealso href="https://arxiv.org/abs/2402.12354">Hayou et al., LoRA+.</seealso>
    public ParameterRole Role { get; init; }

    /// <summary>The factor of its learning rate, whatever the optimiser does; 1 by default.</summary>
    public double LearningRateFactor { get; init; } = 1;
}
