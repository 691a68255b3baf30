using System.Runtime.InteropServices;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Numerics;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Compilation.Graphs;

/// <summary>A float32 matrix in half precision.</summary>
internal static class HalfTensor
{
    private const int Piece = 1 << 16;

    /// <summary>Rounds a matrix, or takes the one that it was widened from.</summary>
    /// <param name="tensor">float32 numbers.</param>
    /// <param name="type">float16 or bfloat16.</param>
    /// <param name="isTransposed">Whether the result is the transposed matrix.</param>
    /// <param name="isWide">Whether the rounded numbers are stored as float32.</param>
    /// <returns>The matrix; null where a finite number is beyond the type's.</returns>
    public static Tensor? Of(Tensor tensor, ElementType type, bool isTransposed, bool isWide)
    {
        if (!isTransposed && !isWide && tensor.Data.Origin is { Columns: null, Source: var source } && source.Type == type
            && source.Dims.SequenceEqual(tensor.Dims))
            return source;
        if (isTransposed)
            tensor = Transposing.Of(tensor);
        var stored = isWide ? ElementType.Float : type;
        var size = stored.BitSize() / 8;
        var data = new AlignedTensorData(tensor.Count * size);
        var numbers = new float[(int)Math.Min(tensor.Count, Piece)];
        for (var first = 0L; first < tensor.Count; first += numbers.Length)
        {
            var part = numbers.AsSpan(0, (int)Math.Min(numbers.Length, tensor.Count - first));
            tensor.Data.Read(first * sizeof(float), MemoryMarshal.AsBytes(part));
            var rounded = Narrowing.ToTensor([.. part], type, [part.Length]);
            var wide = rounded.ToFloat32();
            if (!Fits(part, wide))
                return null;
            data.Write(first * size, isWide ? MemoryMarshal.AsBytes<float>(wide) : rounded.Data.Slice(0, (int)rounded.Data.Length));
        }

        return new Tensor(stored, tensor.Dims, data);
    }

    private static bool Fits(ReadOnlySpan<float> numbers, ReadOnlySpan<float> rounded)
    {
        for (var i = 0; i < numbers.Length; i++)
        {
            if (float.IsFinite(numbers[i]) && !float.IsFinite(rounded[i]))
                return false;
        }

        return true;
    }
}
