using System.Runtime.InteropServices;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Models.Checkpoints.Gguf;

/// <summary>How a tensor is written: ggml's type, and what llama.cpp calls a file of such matrices.</summary>
/// <param name="Name">The name on the command line.</param>
/// <param name="Id">ggml's number.</param>
/// <param name="FileType">The number in <c>general.file_type</c>.</param>
/// <param name="UnitRoundoff">The largest error of one number, relative to the largest of its block.</param>
internal sealed record GgmlForm(string Name, uint Id, uint FileType, double UnitRoundoff)
{
    private const int Block = 32;
    private const int BlockBytes = 34;
    private const float Steps = 127;

    /// <summary>float32.</summary>
    public static GgmlForm F32 { get; } = new("f32", 0, 0, 0);

    /// <summary>All forms that files are written in.</summary>
    public static IReadOnlyList<GgmlForm> All { get; } =
    [
        F32, new("f16", 1, 1, 1.0 / (1 << 11)), new("bf16", 30, 32, 1.0 / (1 << 8)), new("q8_0", 8, 7, (1.0 / 254) + (1.0 / (1 << 11))),
    ];

    /// <summary>The form of a tensor in such a file: vectors are float32, and rows that blocks do not fill float16.</summary>
    /// <param name="dims">The tensor's axes.</param>
    public GgmlForm For(long[] dims) => dims.Length < 2 ? F32 : Id == 8 && dims[^1] % Block != 0 ? All[1] : this;

    /// <summary>The bytes of so many numbers.</summary>
    public long BytesOf(long count) => Id switch
    {
        0 => 4 * count,
        8 => count / Block * BlockBytes,
        _ => 2 * count,
    };

    /// <summary>The numbers as the file has them.</summary>
    /// <exception cref="ArgumentException">One is beyond the type.</exception>
    public byte[] Store(string name, float[] numbers)
    {
        foreach (var number in numbers)
        {
            if (!float.IsFinite(number) || (Id == 1 && !Half.IsFinite((Half)number)))
                throw new ArgumentException(
                    $"'{name}' has the number {number}, which {Name} cannot hold; check the weights, or write bf16 or f32.");
        }

        if (Id == 8)
            return Blocks(numbers);
        var type = Id switch { 0 => ElementType.Float, 1 => ElementType.Float16, _ => ElementType.BFloat16 };
        var data = Narrowing.ToTensor(numbers, type, [numbers.Length]).Data;
        return data.Slice(0, (int)data.Length).ToArray();
    }

    /// <summary>A scale of float16, then 32 numbers in steps of it, ggml's <c>quantize_row_q8_0</c>.</summary>
    private static byte[] Blocks(float[] numbers)
    {
        var bytes = new byte[numbers.Length / Block * BlockBytes];
        for (var block = 0; block < numbers.Length / Block; block++)
        {
            var own = numbers.AsSpan(block * Block, Block);
            var largest = 0f;
            foreach (var number in own)
                largest = Math.Max(largest, Math.Abs(number));
            var scale = largest / Steps;
            var inverse = scale == 0 ? 0 : 1 / scale;
            var target = bytes.AsSpan(block * BlockBytes, BlockBytes);
            var half = (Half)scale;
            MemoryMarshal.Write(target, in half);
            for (var i = 0; i < Block; i++)
                target[2 + i] = (byte)(sbyte)MathF.Round(own[i] * inverse, MidpointRounding.AwayFromZero);
        }

        return bytes;
    }
}
