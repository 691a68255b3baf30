using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using OrtPeft.Kernels.Native;

namespace OrtPeft.Kernels.Loops;

/// <summary>Rows that lie apart.</summary>
/// <param name="start">The first row.</param>
/// <param name="stride">How far rows are apart.</param>
internal readonly unsafe struct StridedRows(float* start, nint stride)
{
    /// <summary>Rows may lie in pages of their own, which no processor foresees: so many are asked for before they are
    /// read.</summary>
    private const int Ahead = 8;

    public readonly nint Stride = stride;

    /// <summary>The first row.</summary>
    public float* Start { get; } = start;

    /// <summary>A row's first number.</summary>
    public float* At(int row) => Start + (row * Stride);

    /// <summary>Some rows one after the other, multiplied; zeros fill rows and columns.</summary>
    /// <param name="first">The first of them.</param>
    /// <param name="rows">How many there are.</param>
    /// <param name="d">Their length.</param>
    /// <param name="factor">What they are multiplied with.</param>
    /// <param name="to">[filled rows, filled columns].</param>
    /// <param name="toRows">The filled rows.</param>
    /// <param name="toStride">The filled columns.</param>
    public void Copy(int first, int rows, int d, float factor, float* to, int toRows, int toStride)
    {
        for (var row = 0; row < rows; row++)
        {
            AskFor(At(first + row + Ahead), d);
            Copy(At(first + row), to + ((nint)row * toStride), d, factor);
            if (toStride > d)
                new Span<float>(to + ((nint)row * toStride) + d, toStride - d).Clear();
        }

        new Span<float>(to + ((nint)rows * toStride), (toRows - rows) * toStride).Clear();
    }

    /// <summary>Puts rows where these are.</summary>
    /// <param name="from">[rows, filled columns].</param>
    /// <param name="fromStride">The filled columns.</param>
    /// <param name="first">The first of these.</param>
    /// <param name="rows">How many there are.</param>
    /// <param name="d">Their length.</param>
    public void Put(float* from, int fromStride, int first, int rows, int d)
    {
        for (var row = 0; row < rows; row++)
        {
            AskFor(At(first + row + Ahead), d);
            Copy(from + ((nint)row * fromStride), At(first + row), d, 1);
        }
    }

    /// <summary>Adds rows to these.</summary>
    /// <inheritdoc cref="Put"/>
    public void Add(float* from, int fromStride, int first, int rows, int d)
    {
        for (var row = 0; row < rows; row++)
        {
            var sums = new Span<float>(At(first + row), d);
            TensorPrimitives.Add(sums, new ReadOnlySpan<float>(from + ((nint)row * fromStride), d), sums);
        }
    }

    /// <summary>Makes rows 0.</summary>
    public void Clear(int first, int rows, int d)
    {
        for (var row = 0; row < rows; row++)
            new Span<float>(At(first + row), d).Clear();
    }

    /// <summary>Asks for some rows.</summary>
    public void AskFor(int first, int rows, int d)
    {
        for (var row = 0; row < rows; row++)
            AskFor(At(first + row), d);
    }

    /// <summary>Rows are short: a call for each would take longer than this.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Copy(float* from, float* to, int d, float factor)
    {
        var (i, factors) = (0, Vector512.Create(factor));
        for (; i <= d - Vector512<float>.Count; i += Vector512<float>.Count)
            (Vector512.Load(from + i) * factors).Store(to + i);
        for (; i < d; i++)
            to[i] = from[i] * factor;
    }

    /// <summary>Rows need not begin where a cache line does: the last number is asked for, too.</summary>
    private static void AskFor(float* row, int d)
    {
        for (var i = 0; Sse.IsSupported && i <= d; i += KernelScratch.CacheLine)
            Sse.Prefetch0(row + Math.Min(i, d - 1));
    }
}
