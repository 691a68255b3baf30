using OrtPeft.Onnx;

namespace OrtPeft.Adapters.Quantization;

/// <summary>A quantised model.</summary>
/// <param name="Model">The model in canonical form, its chosen weights in few bits.</param>
/// <param name="Layers">The layers, in the model's order.</param>
public sealed record QuantizationResult(Model Model, IReadOnlyList<QuantizedLayer> Layers);
