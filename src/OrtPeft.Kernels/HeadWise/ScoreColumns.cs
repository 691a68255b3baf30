using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using OrtPeft.Kernels.Loops;

namespace OrtPeft.Kernels.HeadWise;

/// <summary>Softmax and its gradient where a query's scores are a column: [keys, block], a block of two vectors. So
/// sums are of vectors, never of a vector's elements.</summary>
internal static unsafe class ScoreColumns
{
    private const int Block = AttentionPlan.Block;
    private const int Half = Block / 2;

    /// <summary>Scores become c·tanh(scores/c).</summary>
    /// <param name="scores">[keys, block].</param>
    /// <param name="keys">How many keys there are.</param>
    /// <param name="cap">c.</param>
    public static void Cap(float* scores, int keys, float cap)
    {
        var all = Tanh(scores, keys, cap);
        TensorPrimitives.Multiply(all, cap, all);
    }

    /// <summary>The gradient of capped scores becomes that of scores, which become something else: times 1 −
    /// tanh²(scores/c).</summary>
    /// <param name="gradient">[keys, block].</param>
    /// <param name="scores">[keys, block].</param>
    /// <param name="keys">How many keys there are.</param>
    /// <param name="cap">c.</param>
    public static void CapGradient(float* gradient, float* scores, int keys, float cap)
    {
        var t = Tanh(scores, keys, cap);
        TensorPrimitives.Multiply(t, t, t);
        TensorPrimitives.Subtract(1, t, t);
        var all = new Span<float>(gradient, t.Length);
        TensorPrimitives.Multiply(all, t, all);
    }

    private static Span<float> Tanh(float* scores, int keys, float cap)
    {
        var all = new Span<float>(scores, checked(keys * Block));
        TensorPrimitives.Divide(all, cap, all);
        TensorPrimitives.Tanh(all, all);
        return all;
    }

    /// <summary>Scores become probabilities, 0 where there is no query.</summary>
    /// <param name="scores">[plain + masked, block].</param>
    /// <param name="plain">How many keys nothing is added to.</param>
    /// <param name="masked">How many come behind them.</param>
    /// <param name="mask">What is added to those: [masked, block].</param>
    /// <param name="queries">How many queries there are.</param>
    /// <param name="isGuarded">Whether probabilities that are not a number are 0.</param>
    /// <param name="sink">A score beside those of the keys; −∞ for none.</param>
    /// <param name="copy">Where probabilities go, too, past the caches: they are read on the way back alone.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Softmax(
        float* scores, int plain, int masked, float* mask, int queries, bool isGuarded, float sink, float* copy)
    {
        var end = scores + ((nint)plain * Block);
        var behind = end + ((nint)masked * Block);
        var (max0, max1) = (Vector512.Create(sink), Vector512.Create(sink));
        for (var s = scores; s < end; s += Block)
        {
            max0 = Vector512.MaxNative(max0, Vector512.Load(s));
            max1 = Vector512.MaxNative(max1, Vector512.Load(s + Half));
        }

        for (var s = end; s < behind; s += Block, mask += Block)
        {
            var x = Vector512.Load(s) + Vector512.Load(mask);
            var y = Vector512.Load(s + Half) + Vector512.Load(mask + Half);
            x.Store(s);
            y.Store(s + Half);
            (max0, max1) = (Vector512.MaxNative(max0, x), Vector512.MaxNative(max1, y));
        }

        var (sum0, sum1) = (Vector512<float>.Zero, Vector512<float>.Zero);
        if (sink != float.NegativeInfinity)
            (sum0, sum1) = (VectorExp.Of(Vector512.Create(sink) - max0), VectorExp.Of(Vector512.Create(sink) - max1));
        for (var s = scores; s < behind; s += Block)
        {
            var x = VectorExp.Of(Vector512.Load(s) - max0);
            var y = VectorExp.Of(Vector512.Load(s + Half) - max1);
            x.Store(s);
            y.Store(s + Half);
            (sum0, sum1) = (sum0 + x, sum1 + y);
        }

        var (by0, by1) = (Inverse(sum0, queries), Inverse(sum1, queries - Half));
        var (kept0, kept1) = (Kept(sum0, isGuarded), Kept(sum1, isGuarded));
        for (var s = scores; s < behind; s += Block, copy += Block)
        {
            var (x, y) = ((Vector512.Load(s) * by0) & kept0, (Vector512.Load(s + Half) * by1) & kept1);
            x.Store(s);
            y.Store(s + Half);
            Stream(x, copy);
            Stream(y, copy + Half);
        }
    }

    /// <summary>dP becomes dS = P∘(dP − Σ dP∘P)∘factors.</summary>
    /// <param name="gradient">[keys, block].</param>
    /// <param name="p">[keys, block].</param>
    /// <param name="keys">How many keys there are, in whole tiles.</param>
    /// <param name="plain">How many of the first have the factor 1.</param>
    /// <param name="masked">How many behind them have others.</param>
    /// <param name="factors">[masked, block].</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Gradient(float* gradient, float* p, int keys, int plain, int masked, float* factors)
    {
        var (shift0, shift1) = (Vector512<float>.Zero, Vector512<float>.Zero);
        for (nint i = 0; i < (nint)keys * Block; i += Block)
        {
            shift0 = Vector512.FusedMultiplyAdd(Vector512.Load(gradient + i), Vector512.Load(p + i), shift0);
            shift1 = Vector512.FusedMultiplyAdd(
                Vector512.Load(gradient + i + Half), Vector512.Load(p + i + Half), shift1);
        }

        for (nint i = 0; i < (nint)keys * Block; i += Block)
        {
            ((Vector512.Load(gradient + i) - shift0) * Vector512.Load(p + i)).Store(gradient + i);
            ((Vector512.Load(gradient + i + Half) - shift1) * Vector512.Load(p + i + Half)).Store(gradient + i + Half);
        }

        gradient += (nint)plain * Block;
        for (nint i = 0; i < (nint)masked * Block; i += Half)
            (Vector512.Load(gradient + i) * Vector512.Load(factors + i)).Store(gradient + i);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Stream(Vector512<float> x, float* to)
    {
        if ((nint)to % Vector512<byte>.Count == 0)
            x.StoreAlignedNonTemporal(to);
        else
            x.Store(to);
    }

    /// <summary>All bits, but none of the columns whose sum is not a number if those are to be 0.</summary>
    private static Vector512<float> Kept(Vector512<float> sum, bool isGuarded) =>
        isGuarded ? Vector512.Equals(sum, sum) : Vector512<float>.AllBitsSet;

    /// <summary>1/sum of the first columns, 0 of the others.</summary>
    private static Vector512<float> Inverse(Vector512<float> sum, int count)
    {
        var isThere = Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(count)).AsSingle();
        return Vector512.ConditionalSelect(isThere, Vector512<float>.One / sum, Vector512<float>.Zero);
    }
}
