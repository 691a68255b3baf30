namespace OrtPeft.Adapters.Inspection;

/// <summary>How large an adapter's change to a module is.</summary>
/// <param name="Module">The module's path in the source model; the tensor's own name where it belongs to none.</param>
/// <param name="Norm">The Frobenius norm; null where it holds NaN or infinity.</param>
/// <param name="IsDelta">Whether the norm is that of the change to the weight, s·B·A of LoRA; otherwise that of the
/// module's tensors together.</param>
public sealed record ModuleNorm(string Module, double? Norm, bool IsDelta)
{
    /// <summary>LoRA's rank r here; null where the norm is that of tensors.</summary>
    public int? Rank { get; init; }

    /// <summary>LoRA's scale s here, alpha / r or alpha / √r; null where the norm is that of tensors.</summary>
    public double? Scale { get; init; }
}
