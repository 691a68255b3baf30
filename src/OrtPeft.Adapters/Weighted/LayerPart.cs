using OrtPeft.Adapters.LinearAlgebra;

namespace OrtPeft.Adapters.Weighted;

/// <summary>One adapter's contribution to a layer: weight·scale·B·A.</summary>
/// <param name="Adapter">The adapter's name.</param>
/// <param name="A">[r, in].</param>
/// <param name="B">[out, r].</param>
/// <param name="Scale">LoRA's alpha / r, or alpha / √r.</param>
/// <param name="Weight">The adapter's weight in the combination, of any sign.</param>
internal sealed record LayerPart(string Adapter, Matrix A, Matrix B, double Scale, double Weight);
