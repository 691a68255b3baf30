using System.Runtime.InteropServices;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Onnx.Quantization;

/// <summary>
/// A <c>MatMulBnb4</c> with a constant weight: y = x·Wᵀ, W [N, K] in codes of 4 bits of bitsandbytes, the first of two in
/// the high half of a byte, and the largest magnitude of each block of W's elements one after the other.
/// </summary>
/// <seealso href="https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.MatMulBnb4"/>
internal sealed class Bnb4Form
{
    private const long NormalFloat = 1;

    /// <summary>bitsandbytes' floats of 4 bits: a sign, two bits of exponent and one of mantissa, over 12.</summary>
    private static readonly float[] Float4 =
    [
        0, 5.208333333e-03f, 0.66666667f, 1, 0.33333333f, 0.5f, 0.16666667f, 0.25f,
        -0f, -5.208333333e-03f, -0.66666667f, -1, -0.33333333f, -0.5f, -0.16666667f, -0.25f,
    ];

    private readonly int _size;
    private readonly float[] _scales;
    private readonly IReadOnlyList<float> _book;

    private Bnb4Form(Node node, int rows, int columns, int size)
    {
        (Rows, Columns, _size) = (rows, columns, size);
        Packed = node.Inputs[1]!;
        _scales = node.Inputs[2]!.Constant!.ToFloat32();
        _book = node.Attributes.Int("quant_type", NormalFloat) == NormalFloat ? CodeBook.NormalFloat4.Values : Float4;
    }

    /// <summary>The weight's bytes.</summary>
    public Value Packed { get; }

    /// <summary>N, the number of features that the product makes.</summary>
    public int Rows { get; }

    /// <summary>K, the number of features that it reads.</summary>
    public int Columns { get; }

    /// <summary>Reads a node; null where it has another form, among them <c>transB</c> = 0, which ONNX Runtime's CPU
    /// kernel takes for 1.</summary>
    public static Bnb4Form? Of(Node node)
    {
        var (n, k, size) = (Number(node, "N"), Number(node, "K"), Number(node, "block_size"));
        var count = (Int128)n * k;
        var isKnown = node is { OpType: "MatMulBnb4", Domain: "com.microsoft" } && n > 0 && k > 0 && size > 0
            && count <= Array.MaxLength && node.Attributes.Int("transB", 1) == 1
            && node.Attributes.Int("quant_type", -1) is 0 or NormalFloat
            && node.Input(1)?.Constant is { Type: ElementType.UInt8 } packed && packed.Count == (long)(count + 1) / 2
            && node.Input(2)?.Constant is { } scales && scales.Type.IsFloating()
            && scales.Count == (long)(count + size - 1) / size;
        return isKnown ? new Bnb4Form(node, (int)n, (int)k, (int)size) : null;
    }

    /// <summary>The weight [N, K] as codes of NF4; null where its blocks run over ends of rows, or it has another
    /// book.</summary>
    public QuantizedTensor? Codes()
    {
        if (_book == (object)Float4 || Columns % _size != 0)
            return null;
        var codes = Derived(Bnb4Codes.LowFirst(PackedIntegers.BytesOf(Packed.Constant!)));
        return Bnb4Codes.NormalFloat4(codes, Rows, Columns, _scales, _size);
    }

    /// <summary>The weight's numbers, [N, K].</summary>
    public Tensor ToFloat32()
    {
        var numbers = Bnb4Codes.Numbers(
            PackedIntegers.BytesOf(Packed.Constant!), _book, _scales, _size, (long)Rows * Columns);
        return new Tensor(ElementType.Float, [Rows, Columns], Derived(MemoryMarshal.AsBytes<float>(numbers).ToArray()));
    }

    /// <summary>Bytes that remember that they were made of the packed ones.</summary>
    private DerivedTensorData Derived(byte[] bytes) =>
        new(new MemoryTensorData(bytes), new TensorOrigin(Packed.Constant!));

    private static long Number(Node node, string attribute) =>
        node.Attributes.Int(attribute, 0) is > 0 and <= int.MaxValue and var number ? number : 0;
}
