using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using OrtPeft.Kernels.Layouts;
using OrtPeft.Kernels.Loops;
using OrtPeft.Kernels.MachineCode;

namespace OrtPeft.Kernels.Products;

/// <summary>Products of bfloat16 with float32 sums, from panels of <see cref="PackedBf16"/>: a word is a pair of
/// neighbours along the sum, the first in the lower half. Rows of X are rounded when they are packed.</summary>
internal readonly unsafe struct Bf16Format : IPanelFormat
{
    private const int Width = PackedMatrix.Width;
    private const int Half = Width / 2;
    private const int Rows = ProductTile.Rows;

    private static readonly float* _zeros =
        (float*)NativeMemory.AlignedAlloc(Width * sizeof(float), (nuint)Vector512<byte>.Count);

    static Bf16Format() => new Span<float>(_zeros, Width).Clear();

    /// <inheritdoc/>
    public static int WordsOf(int elements) => (elements + 1) / 2;

    /// <inheritdoc/>
    [SkipLocalsInit]
    public static void PackRows(float* x, nint stride, int rows, int elements, float* strip)
    {
        const int Most = ProductPlan.Block / 2;
        var words = stackalloc float[Rows * Most];
        for (var row = 0; row < rows; row++)
            Round(x + (row * stride), elements, (ushort*)(words + (row * Most)));
        Squares.TurnRows(words, Most, rows, WordsOf(elements), strip, Rows);
    }

    /// <inheritdoc/>
    public static float* Block(
        in ProductPlan plan, long panel, long start, int elements, float* room, out BlockAhead next)
    {
        var block = plan.Pairs + (((panel * plan.Height) + plan.Start + start) / 2 * Width);
        var size = elements / 2 * Width;
        next = BlockAhead.Of(block + size, size * sizeof(float));
        return block;
    }

    /// <inheritdoc/>
    public static float* TurnedBlock(
        in ProductPlan plan, long panel, long start, int elements, float* room, out BlockAhead next)
    {
        var stride = plan.Height / 2 * Width;
        var square = plan.Pairs + (((plan.Start + start) / Width * stride) + (panel * Half * Width));
        var turned = room + (ProductPlan.Block * Half);
        for (var i = 0; i < elements / Width; i++, square += stride)
            TurnSquare(square, turned, room + (i * Half * Width));
        if (start + elements == plan.Length)
            square = plan.Pairs + ((plan.Start / Width * stride) + ((panel + 1) * Half * Width));
        next = new BlockAhead
        {
            Start = (byte*)square,
            Bytes = Half * Width * sizeof(float),
            Runs = ProductPlan.Block / Width,
            Stride = (nint)stride * sizeof(float),
        };
        return room;
    }

    /// <inheritdoc/>
    public static void Multiply(int elements, float* a, float* b, in TileResult result, byte* ahead, int aheadBytes)
    {
        var pairs = WordsOf(elements);
        var tile = new Bf16Tile
        {
            A = (uint*)a,
            B = (uint*)b,
            Pairs = pairs,
            C = result.C,
            Stride = result.Stride * sizeof(float),
            S = result.Sum != null ? result.Sum : result.Bias != null ? result.Bias : _zeros,
            SumStride = result.Sum != null ? result.SumStride * sizeof(float) : 0,
            Ahead = ahead,
            AheadStep = aheadBytes / pairs,
        };
        if (result.Sum != null && result.Bias != null)
        {
            AddBias(in result);
            tile.S = result.C;
            tile.SumStride = tile.Stride;
        }

        if (Bf16Code.Obstacle is null)
            Bf16Code.Multiply(&tile);
        else
            Bf16Reference.Multiply(in tile);
    }

    /// <summary>Rounds a row; a pair that lacks its second number has 0 there.</summary>
    private static void Round(float* x, int count, ushort* y)
    {
        var rounding = new Bf16Rounding { X = x, Y = y, Vectors = count / Vector512<float>.Count };
        if (rounding.Vectors > 0 && Bf16Code.Obstacle is null)
            Bf16Code.Round(&rounding);
        else
            Bf16Reference.Round(in rounding);
        for (var i = (int)rounding.Vectors * Vector512<float>.Count; i < count; i++)
            y[i] = PackedBf16.Round(x[i]);
        if (count % 2 != 0)
            y[count] = 0;
    }

    /// <summary>Pairs of rows, [pairs, columns], become pairs of columns, [pairs, rows].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TurnSquare(float* square, float* words, float* turned)
    {
        for (var pair = 0; pair < Half; pair += Squares.Small)
        {
            for (var column = 0; column < Width; column += Squares.Small)
                Squares.TurnSmall(square + (pair * Width) + column, Width, words + (column * Half) + pair, Half);
        }

        for (var pair = 0; pair < Half; pair++)
        {
            var first = (ushort*)(words + (2 * pair * Half));
            var second = first + Width;
            for (var row = 0; row < Width; row += Vector512<uint>.Count)
            {
                var low = Widen(first + row);
                var high = Widen(second + row);
                (low | Vector512.ShiftLeft(high, 16)).Store((uint*)(turned + (pair * Width) + row));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Widen(ushort* numbers)
    {
        var (low, high) = Vector256.Widen(Vector256.Load(numbers));
        return Vector512.Create(low, high);
    }

    /// <summary>Sums begin with rows and a row that is added to all.</summary>
    private static void AddBias(in TileResult result)
    {
        for (var row = 0; row < Rows; row++)
        {
            var sum = result.Sum + (row * result.SumStride);
            var c = result.C + (row * result.Stride);
            for (var column = 0; column < Width; column += Vector512<float>.Count)
                (Vector512.Load(sum + column) + Vector512.Load(result.Bias + column)).Store(c + column);
        }
    }
}
