using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Models.Checkpoints.Packing;

/// <summary>Integers of a matrix [out, in] with a scale and a zero point for each group of inputs of an
/// output.</summary>
/// <param name="outputs">Outputs.</param>
/// <param name="inputs">Inputs.</param>
/// <param name="groupSize">Inputs of a group.</param>
/// <param name="bits">Bits of an integer: 2, 3, 4 or 8; 2 and 3 are held in 4.</param>
internal sealed class GroupedIntegers(int outputs, int inputs, int groupSize, int bits)
{
    private readonly ElementType _type = bits == 8 ? ElementType.UInt8 : ElementType.UInt4;
    private readonly byte[] _values = new byte[Length(bits, (long)outputs * inputs)];
    private readonly byte[] _zeros = new byte[Length(bits, (long)outputs * Groups(inputs, groupSize))];
    private readonly float[] _scales = new float[outputs * Groups(inputs, groupSize)];

    public int Count => Groups(inputs, groupSize);

    public static int Groups(int inputs, int groupSize) => (inputs + groupSize - 1) / groupSize;

    public void SetValue(int output, int input, int value) =>
        PackedIntegers.Set(_values, _type, ((long)output * inputs) + input, value);

    public void SetGroup(int output, int group, float scale, int zero)
    {
        var at = (output * Count) + group;
        _scales[at] = scale;
        PackedIntegers.Set(_zeros, _type, at, zero);
    }

    public QuantizedTensor ToTensor() => new(
        new Tensor(_type, [outputs, inputs], new MemoryTensorData(_values)),
        Tensor.Of<float>(_scales, [outputs, Count]),
        new Tensor(_type, [outputs, Count], new MemoryTensorData(_zeros)),
        RelativeError: 0)
    {
        Axis = 1,
        BlockSize = groupSize,
    };

    private static int Length(int bits, long count) =>
        checked((int)(bits == 8 ? count : (count + 1) / 2));
}
