using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace OrtPeft.Kernels.Loops;

/// <summary>
/// Turns squares: Y[column, row] = X[row, column]. Every fourth row's four numbers are put side by side in one register
/// while they are read, so that turning fours within a register is all that is left to do.
/// </summary>
internal static unsafe class Squares
{
    /// <summary>Rows and columns of the small square.</summary>
    public const int Small = 8;

    /// <summary>Rows and columns of the large square.</summary>
    public const int Large = 16;

    /// <summary>Turns rows into columns: Y [length, width], where columns without a row are 0.</summary>
    /// <param name="x">The first row.</param>
    /// <param name="stride">How far rows are apart.</param>
    /// <param name="rows">How many there are, at most the width.</param>
    /// <param name="length">Their elements.</param>
    /// <param name="y">The result.</param>
    /// <param name="width">Its columns; faster where they are a multiple of <see cref="Small"/> and all have rows.
    /// </param>
    public static void TurnRows(float* x, nint stride, int rows, int length, float* y, int width) =>
        TurnRows(x, stride, rows, length, y, width, streams: false);

    /// <summary>The same past the caches, where the result's place allows it.</summary>
    /// <inheritdoc cref="TurnRows(float*, nint, int, int, float*, int)"/>
    public static void StreamRows(float* x, nint stride, int rows, int length, float* y, int width) =>
        TurnRows(x, stride, rows, length, y, width, streams: (nint)y % Vector256<byte>.Count == 0);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TurnRows(float* x, nint stride, int rows, int length, float* y, int width, bool streams)
    {
        var i = 0;
        for (; rows == width && width % Small == 0 && i <= length - Small; i += Small)
        {
            for (var row = 0; row < width; row += Small)
            {
                if (streams)
                    TurnSmall(x + (row * stride) + i, stride, y + ((nint)i * width) + row, width, streams: true);
                else
                    TurnSmall(x + (row * stride) + i, stride, y + ((nint)i * width) + row, width);
            }
        }

        for (; i < length; i++)
        {
            for (var row = 0; row < width; row++)
                y[((nint)i * width) + row] = row < rows ? x[(row * stride) + i] : 0;
        }
    }

    /// <summary>Turns a small square.</summary>
    /// <param name="x">Its first element.</param>
    /// <param name="stride">How far its rows are apart.</param>
    /// <param name="y">The result's first element.</param>
    /// <param name="turnedStride">How far its rows are apart.</param>
    /// <param name="streams">Whether they go past the caches; then they are at multiples of their length.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void TurnSmall(float* x, nint stride, float* y, nint turnedStride, bool streams = false)
    {
        if (!Avx.IsSupported)
        {
            for (var row = 0; row < Small; row += 4)
            {
                TurnFour(x + (row * stride), stride, y + row, turnedStride);
                TurnFour(x + (row * stride) + 4, stride, y + (4 * turnedStride) + row, turnedStride);
            }

            return;
        }

        for (var column = 0; column < Small; column += 4, x += 4)
        {
            var (r0, r1) = (Two(x, 4 * stride), Two(x + stride, 4 * stride));
            var (r2, r3) = (Two(x + (2 * stride), 4 * stride), Two(x + (3 * stride), 4 * stride));
            var (low01, high01) = (Avx.UnpackLow(r0, r1), Avx.UnpackHigh(r0, r1));
            var (low23, high23) = (Avx.UnpackLow(r2, r3), Avx.UnpackHigh(r2, r3));
            Put(Avx.Shuffle(low01, low23, 0x44), y, streams);
            Put(Avx.Shuffle(low01, low23, 0xEE), y += turnedStride, streams);
            Put(Avx.Shuffle(high01, high23, 0x44), y += turnedStride, streams);
            Put(Avx.Shuffle(high01, high23, 0xEE), y += turnedStride, streams);
            y += turnedStride;
        }
    }

    /// <summary>Turns a large square.</summary>
    /// <inheritdoc cref="TurnSmall"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void TurnLarge(float* x, nint stride, float* y, nint turnedStride)
    {
        if (!Avx512F.IsSupported)
        {
            TurnSmall(x, stride, y, turnedStride);
            TurnSmall(x + Small, stride, y + (Small * turnedStride), turnedStride);
            TurnSmall(x + (Small * stride), stride, y + Small, turnedStride);
            TurnSmall(x + (Small * (stride + 1)), stride, y + (Small * (turnedStride + 1)), turnedStride);
            return;
        }

        for (var column = 0; column < Large; column += 4, x += 4)
        {
            var (r0, r1) = (Four(x, 4 * stride), Four(x + stride, 4 * stride));
            var (r2, r3) = (Four(x + (2 * stride), 4 * stride), Four(x + (3 * stride), 4 * stride));
            var (low01, high01) = (Avx512F.UnpackLow(r0, r1), Avx512F.UnpackHigh(r0, r1));
            var (low23, high23) = (Avx512F.UnpackLow(r2, r3), Avx512F.UnpackHigh(r2, r3));
            Avx512F.Shuffle(low01, low23, 0x44).Store(y);
            Avx512F.Shuffle(low01, low23, 0xEE).Store(y += turnedStride);
            Avx512F.Shuffle(high01, high23, 0x44).Store(y += turnedStride);
            Avx512F.Shuffle(high01, high23, 0xEE).Store(y += turnedStride);
            y += turnedStride;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(Vector256<float> row, float* y, bool streams)
    {
        if (streams)
            row.StoreAlignedNonTemporal(y);
        else
            row.Store(y);
    }

    /// <summary>Four numbers of a row and of the one a stride on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Two(float* x, nint stride) =>
        Avx.InsertVector128(Vector128.Load(x).ToVector256Unsafe(), Vector128.Load(x + stride), 1);

    /// <summary>Four numbers of four rows, each a stride on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Four(float* x, nint stride)
    {
        var four = Two(x, stride).ToVector512Unsafe();
        four = Avx512F.InsertVector128(four, Vector128.Load(x + (2 * stride)), 2);
        return Avx512F.InsertVector128(four, Vector128.Load(x + (3 * stride)), 3);
    }

    /// <summary>Turns a square of four rows, in registers of four numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TurnFour(float* x, nint stride, float* y, nint turnedStride)
    {
        var (r0, r1) = (Vector128.Load(x), Vector128.Load(x + stride));
        var (r2, r3) = (Vector128.Load(x + (2 * stride)), Vector128.Load(x + (3 * stride)));
        var (low02, high02) = (ZipLow(r0, r2), ZipHigh(r0, r2));
        var (low13, high13) = (ZipLow(r1, r3), ZipHigh(r1, r3));
        ZipLow(low02, low13).Store(y);
        ZipHigh(low02, low13).Store(y += turnedStride);
        ZipLow(high02, high13).Store(y += turnedStride);
        ZipHigh(high02, high13).Store(y + turnedStride);
    }

    /// <summary>The first two numbers of both, in turn.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> ZipLow(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.UnpackLow(a, b)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(a, b)
        : Vector128.Create(a[0], b[0], a[1], b[1]);

    /// <summary>The last two numbers of both, in turn.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> ZipHigh(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.UnpackHigh(a, b)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(a, b)
        : Vector128.Create(a[2], b[2], a[3], b[3]);
}
