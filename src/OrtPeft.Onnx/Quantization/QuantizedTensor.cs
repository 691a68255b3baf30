namespace OrtPeft.Onnx.Quantization;

/// <summary>A matrix in few bits.</summary>
/// <param name="Values">The integers, with the matrix' axes; 4-bit ones two to a byte, the first in the low
/// half.</param>
/// <param name="Scales">One float32 per block, with the matrix' axes but for that of the blocks.</param>
/// <param name="ZeroPoints">One integer per block, of the values' type and the scales' axes; null when all are
/// 0.</param>
/// <param name="RelativeError">‖W − Ŵ‖ / ‖W‖, Frobenius; 0 for a matrix of zeros.</param>
public sealed record QuantizedTensor(Tensor Values, Tensor Scales, Tensor? ZeroPoints, double RelativeError);
