using OrtPeft.Kernels.Layouts;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors;

namespace OrtPeft.Kernels.Tests;

/// <summary>A form that a packed matrix has.</summary>
/// <param name="Name">Added to a case's name.</param>
/// <param name="Of">Packs a matrix, or its transpose, and tells the numbers that the form then holds, in the matrix'
/// own layout.</param>
internal sealed record Packing(string Name, Func<Tensor, bool, (Tensor Packed, Tensor Numbers)> Of)
{
    /// <summary>What products make of rows before they multiply them.</summary>
    public Func<Tensor, Tensor> Rows { get; private init; } = static rows => rows;

    /// <summary>As they are.</summary>
    public static Packing Float32 { get; } =
        new("", static (matrix, isTransposed) => (PackedMatrix.Pack(matrix, isTransposed), matrix));

    /// <summary>In bfloat16. Products of such numbers are exact in float32, so that sums are as close as float32's.
    /// </summary>
    public static Packing Bf16 { get; } = new(
        ", bfloat16", static (matrix, isTransposed) => (PackedBf16.Pack(matrix, isTransposed), Rounded(matrix)))
    {
        Rows = Rounded,
    };

    /// <summary>All that are in few bits: 4 and 8, with and without zero points, codes of a book, and blocks that end
    /// within a word's rows.</summary>
    public static IReadOnlyList<Packing> InFewBits { get; } =
    [
        InBits(", int4", new BlockFormat { BlockSize = 32 }),
        InBits(", uint4 with zero points", new BlockFormat { IsSymmetric = false }),
        InBits(", int8", new BlockFormat { Bits = 8, BlockSize = 128 }),
        InBits(", uint8 with zero points", new BlockFormat { Bits = 8, BlockSize = 32, IsSymmetric = false }),
        InBits(", NF4", new BlockFormat { CodeBook = CodeBook.NormalFloat4 }),
        InBits(", int4 for bfloat16", new BlockFormat(), inBf16: true),
        InBits(", uint8 with zero points for bfloat16", new BlockFormat { Bits = 8, IsSymmetric = false }, inBf16: true),
    ];

    private static Tensor Rounded(Tensor numbers) => Tensor.Of<float>(
        Array.ConvertAll(numbers.ToFloat32(), static n => BitConverter.UInt32BitsToSingle((uint)PackedBf16.Round(n) << 16)),
        numbers.Dims.AsSpan());

    private static Packing InBits(string name, BlockFormat format, bool inBf16 = false) => new(
        name, (matrix, isTransposed) =>
        {
            var content = BlockQuantizer.Quantize(matrix, isTransposed ? 1 : 0, format);
            var numbers = content.ToFloat32();
            return (PackedCodes.Pack(content, isTransposed, inBf16), inBf16 ? Rounded(numbers) : numbers);
        })
    {
        Rows = inBf16 ? Rounded : static rows => rows,
    };
}
