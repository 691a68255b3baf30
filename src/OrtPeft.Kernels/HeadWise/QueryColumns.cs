using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace OrtPeft.Kernels.HeadWise;

/// <summary>The numbers of each query that the gradient of a block of queries needs: the largest score, one over the
/// sum of exponentials, and the shift D = dO·O. All are 0 where there is no query.</summary>
/// <param name="memory">Room for three blocks.</param>
/// <seealso href="https://arxiv.org/abs/2307.08691">Dao, FlashAttention-2, equation for D in algorithm 2.</seealso>
internal readonly unsafe struct QueryColumns(float* memory)
{
    private const int Block = AttentionPlan.Block;

    /// <summary>The largest scores.</summary>
    public float* Max { get; } = memory;

    /// <summary>The sums' inverses.</summary>
    public float* Inverse { get; } = memory + Block;

    /// <summary>The shifts.</summary>
    public float* Shift { get; } = memory + (2 * Block);

    /// <summary>Reads a block.</summary>
    /// <param name="plan">The operands.</param>
    /// <param name="head">The head's number among all of the batch.</param>
    /// <param name="first">The first query.</param>
    /// <param name="queries">How many there are.</param>
    public void Read(in AttentionPlan plan, long head, int first, int queries)
    {
        new Span<float>(Max, 3 * Block).Clear();
        var at = (head * plan.Queries) + first;
        new ReadOnlySpan<float>(plan.Max + at, queries).CopyTo(new Span<float>(Max, queries));
        TensorPrimitives.Reciprocal(
            new ReadOnlySpan<float>(plan.Sum + at, queries), new Span<float>(Inverse, queries));
        var (o, dO, d) = (plan.O.Of(head, plan.Heads), plan.DO.Of(head, plan.Heads), plan.Width);
        for (var query = 0; query < queries; query++)
            Shift[query] = Dot(o.At(first + query), dO.At(first + query), d);
    }

    /// <summary>Rows are short: a call for each would take longer than this.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Dot(float* a, float* b, int d)
    {
        var (i, sums) = (0, Vector512<float>.Zero);
        for (; i <= d - Vector512<float>.Count; i += Vector512<float>.Count)
            sums = Vector512.MultiplyAddEstimate(Vector512.Load(a + i), Vector512.Load(b + i), sums);
        var sum = Vector512.Sum(sums);
        for (; i < d; i++)
            sum += a[i] * b[i];
        return sum;
    }
}
