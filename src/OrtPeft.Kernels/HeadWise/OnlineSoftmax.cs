using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using OrtPeft.Kernels.Loops;

namespace OrtPeft.Kernels.HeadWise;

/// <summary>Exponentials of scores that come part by part, less the largest so far of each query.</summary>
/// <param name="max">The largest of each query: [queries].</param>
/// <param name="sum">The sum of its exponentials: [queries].</param>
/// <param name="shrinkage">What the last part makes of earlier exponentials: [block].</param>
/// <seealso href="https://arxiv.org/abs/1805.02867">Milakov and Gimelshein, algorithm 3.</seealso>
internal readonly unsafe struct OnlineSoftmax(float* max, float* sum, float* shrinkage)
{
    private const int Block = AttentionPlan.Block;
    private const int Half = Block / 2;

    private readonly float* _shrinkage = shrinkage;

    /// <summary>The largest score of each query.</summary>
    public float* Max { get; } = max;

    /// <summary>The sum of each query's exponentials.</summary>
    public float* Sum { get; } = sum;

    /// <summary>Begins with one score of each query, of a sink.</summary>
    /// <param name="sink">The score; −∞ for none.</param>
    public void Begin(float sink)
    {
        new Span<float>(Max, AttentionPlan.Chunk).Fill(sink);
        new Span<float>(Sum, AttentionPlan.Chunk).Fill(sink == float.NegativeInfinity ? 0 : 1);
    }

    /// <summary>Scores become exponentials.</summary>
    /// <param name="block">The first query of the block.</param>
    /// <param name="scores">[keys, block].</param>
    /// <param name="keys">How many keys there are.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Add(int block, float* scores, int keys)
    {
        var end = scores + ((nint)keys * Block);
        var (before0, before1) = (Vector512.Load(Max + block), Vector512.Load(Max + block + Half));
        var (max0, max1) = (before0, before1);
        for (var s = scores; s < end; s += Block)
        {
            max0 = Vector512.MaxNative(max0, Vector512.Load(s));
            max1 = Vector512.MaxNative(max1, Vector512.Load(s + Half));
        }

        max0.Store(Max + block);
        max1.Store(Max + block + Half);
        // Of a query that has seen nothing, −∞ less the largest is to be −∞.
        (max0, max1) = (Finite(max0), Finite(max1));
        var (shrunk0, shrunk1) = (VectorExp.Of(before0 - max0), VectorExp.Of(before1 - max1));
        shrunk0.Store(_shrinkage);
        shrunk1.Store(_shrinkage + Half);
        var (sum0, sum1) = (Vector512<float>.Zero, Vector512<float>.Zero);
        for (var s = scores; s < end; s += Block)
        {
            var x = VectorExp.Of(Vector512.Load(s) - max0);
            var y = VectorExp.Of(Vector512.Load(s + Half) - max1);
            x.Store(s);
            y.Store(s + Half);
            (sum0, sum1) = (sum0 + x, sum1 + y);
        }

        Vector512.MultiplyAddEstimate(Vector512.Load(Sum + block), shrunk0, sum0).Store(Sum + block);
        Vector512.MultiplyAddEstimate(Vector512.Load(Sum + block + Half), shrunk1, sum1).Store(Sum + block + Half);
    }

    /// <summary>Multiplies sums over earlier exponentials with what the last part has made of those.</summary>
    /// <param name="sums">[queries, width].</param>
    /// <param name="queries">How many queries of the block there are.</param>
    /// <param name="width">How many sums each has.</param>
    public void Shrink(float* sums, int queries, int width)
    {
        for (var query = 0; query < queries; query++, sums += width)
        {
            var row = new Span<float>(sums, width);
            if (_shrinkage[query] != 1)
                TensorPrimitives.Multiply(row, _shrinkage[query], row);
        }
    }

    private static Vector512<float> Finite(Vector512<float> max) => Vector512.ConditionalSelect(
        Vector512.Equals(max, Vector512.Create(float.NegativeInfinity)), Vector512<float>.Zero, max);
}
