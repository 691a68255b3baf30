using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
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
    public void Add(int block, float* scores, int keys)
    {
        if (Avx512F.IsSupported)
            AddColumns<Register512>(block, scores, keys);
        else if (Vector256.IsHardwareAccelerated)
            AddColumns<Register256>(block, scores, keys);
        else
            AddColumns<Register128>(block, scores, keys);
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

    private void AddColumns<T>(int block, float* scores, int keys)
        where T : struct, IRegister<T>
    {
        for (var column = 0; column < Block; column += 2 * T.Count)
            AddTwo<T>(Max + block + column, Sum + block + column, _shrinkage + column, scores + column, keys);
    }

    /// <summary>Two registers' columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddTwo<T>(float* max, float* sum, float* shrinkage, float* scores, int keys)
        where T : struct, IRegister<T>
    {
        var end = scores + ((nint)keys * Block);
        var (before0, before1) = (T.Load(max), T.Load(max + T.Count));
        var (max0, max1) = (before0, before1);
        for (var s = scores; s < end; s += Block)
        {
            max0 = T.Max(max0, T.Load(s));
            max1 = T.Max(max1, T.Load(s + T.Count));
        }

        max0.Store(max);
        max1.Store(max + T.Count);
        // Of a query that has seen nothing, −∞ less the largest is to be −∞.
        (max0, max1) = (Finite(max0), Finite(max1));
        var (shrunk0, shrunk1) = (VectorExp.Of(before0 - max0), VectorExp.Of(before1 - max1));
        shrunk0.Store(shrinkage);
        shrunk1.Store(shrinkage + T.Count);
        T sum0 = default, sum1 = default;
        for (var s = scores; s < end; s += Block)
        {
            var x = VectorExp.Of(T.Load(s) - max0);
            var y = VectorExp.Of(T.Load(s + T.Count) - max1);
            x.Store(s);
            y.Store(s + T.Count);
            (sum0, sum1) = (sum0 + x, sum1 + y);
        }

        T.MultiplyAdd(T.Load(sum), shrunk0, sum0).Store(sum);
        T.MultiplyAdd(T.Load(sum + T.Count), shrunk1, sum1).Store(sum + T.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Finite<T>(T max)
        where T : struct, IRegister<T> => T.WhereLess(max, T.Of(float.MinValue), default, max);
}
