using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using OrtPeft.Kernels.Layouts;

namespace OrtPeft.Kernels.Products;

/// <summary>Products of bfloat16 from panels in few bits (<see cref="CodePanels"/>), whose numbers are made and rounded
/// block by block.</summary>
internal readonly unsafe struct Bf16CodeFormat : IPanelFormat
{
    private const int Width = PackedMatrix.Width;

    /// <inheritdoc/>
    public static int WordsOf(int elements) => Bf16Format.WordsOf(elements);

    /// <inheritdoc/>
    public static void PackRows(float* x, nint stride, int rows, int elements, float* strip) =>
        Bf16Format.PackRows(x, stride, rows, elements, strip);

    /// <inheritdoc/>
    public static float* Block(
        in ProductPlan plan, long panel, long start, int elements, float* room, out BlockAhead next)
    {
        var numbers = CodeFormat.Block(in plan, panel, start, elements, Numbers(room), out next);
        PairRows(numbers, elements, (uint*)room);
        return room;
    }

    /// <inheritdoc/>
    public static float* TurnedBlock(
        in ProductPlan plan, long panel, long start, int elements, float* room, out BlockAhead next)
    {
        var first = (plan.Start + start) / Width;
        var square = Numbers(room);
        var turned = square + (Width * Width);
        for (var i = 0; i < elements / Width; i++)
        {
            plan.Codes.Decode(first + i, panel * Width, Width, square);
            FloatFormat.TurnSquare(square, turned);
            PairRows(turned, Width, (uint*)room + (i * Width * Width / 2));
        }

        next = plan.Codes.PlaceOf(first, (panel + 1) * Width, Width);
        return room;
    }

    /// <inheritdoc/>
    public static void Multiply(
        int elements, float* a, float* b, in TileResult result, byte* ahead, int aheadBytes) =>
        Bf16Format.Multiply(elements, a, b, in result, ahead, aheadBytes);

    /// <summary>The second half of the room.</summary>
    private static float* Numbers(float* room) => room + (ProductPlan.Block * Width);

    /// <summary>Rounds rows, and puts each two of them into one of words.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PairRows(float* numbers, int rows, uint* pairs)
    {
        for (var row = 0; row < rows; row += 2, numbers += 2 * Width, pairs += Width)
        {
            for (var column = 0; column < Width; column += Vector512<float>.Count)
            {
                var (low, high) = (Rounded(numbers + column), Rounded(numbers + Width + column));
                (Vector512.ShiftRightLogical(low, 16) | (high & Vector512.Create(0xffff0000))).Store(pairs + column);
            }
        }
    }

    /// <summary>To the nearest number whose lower half is 0, of two to the even one; the lower half is arbitrary.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Rounded(float* numbers)
    {
        var number = Vector512.Load(numbers);
        var bits = number.AsUInt32();
        var odd = Vector512.ShiftRightLogical(bits, 16) & Vector512<uint>.One;
        // A sum would take a NaN's bits to an infinity's.
        return Vector512.ConditionalSelect(
            Vector512.Equals(number, number).AsUInt32(),
            bits + odd + Vector512.Create(0x7fffu),
            bits | Vector512.Create(0x400000u));
    }
}
