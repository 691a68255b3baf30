namespace OrtPeft.Adapters.Quantization;

/// <summary>The effect of quantisation on one layer.</summary>
/// <param name="Name">The layer's path in the source model; the first one's where layers share a weight.</param>
/// <param name="RelativeError">‖W − Ŵ‖ / ‖W‖, Frobenius.</param>
/// <param name="FloatBytes">What the weight took before, in bytes.</param>
/// <param name="Bytes">What it takes now, scales and zero points included, in bytes.</param>
public sealed record QuantizedLayer(string Name, double RelativeError, long FloatBytes, long Bytes)
{
    /// <summary>‖W − Ŵ − s·B·A‖ / ‖W‖ where LoftQ made an adapter for the layer; else null.</summary>
    public double? RelativeErrorWithAdapter { get; init; }
}
