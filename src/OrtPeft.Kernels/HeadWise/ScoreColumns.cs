using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using OrtPeft.Kernels.Loops;

namespace OrtPeft.Kernels.HeadWise;

/// <summary>What is done to the scores of a block of queries, each a column: [keys, block], a block of two vectors. So
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
        var all = new Span<float>(scores, checked(keys * Block));
        TensorPrimitives.Divide(all, cap, all);
        TensorPrimitives.Tanh(all, all);
        TensorPrimitives.Multiply(all, cap, all);
    }

    /// <summary>The gradient of capped scores becomes that of scores: times 1 − (capped/c)².</summary>
    /// <param name="gradient">[keys, block].</param>
    /// <param name="capped">[keys, block]; it becomes something else.</param>
    /// <param name="keys">How many keys there are.</param>
    /// <param name="cap">c.</param>
    public static void CapGradient(float* gradient, float* capped, int keys, float cap)
    {
        var t = new Span<float>(capped, checked(keys * Block));
        TensorPrimitives.Divide(t, cap, t);
        TensorPrimitives.Multiply(t, t, t);
        TensorPrimitives.Subtract(1, t, t);
        var all = new Span<float>(gradient, t.Length);
        TensorPrimitives.Multiply(all, t, all);
    }

    /// <summary>Adds a mask to the keys that it changes.</summary>
    /// <param name="scores">[keys, block].</param>
    /// <param name="plain">How many of the first keys it changes nothing of.</param>
    /// <param name="keys">How many keys there are.</param>
    /// <param name="mask">[keys behind those, block].</param>
    public static void AddMask(float* scores, int plain, int keys, float* mask)
    {
        var masked = scores + ((nint)plain * Block);
        var count = (nint)(keys - plain) * Block;
        for (nint i = 0; i < count; i += Half)
            (Vector512.Load(masked + i) + Vector512.Load(mask + i)).Store(masked + i);
    }

    /// <summary>Multiplies with factors the keys that those change.</summary>
    /// <inheritdoc cref="AddMask"/>
    public static void Multiply(float* scores, int plain, int keys, float* factors)
    {
        var masked = scores + ((nint)plain * Block);
        var count = (nint)(keys - plain) * Block;
        for (nint i = 0; i < count; i += Half)
            (Vector512.Load(masked + i) * Vector512.Load(factors + i)).Store(masked + i);
    }

    /// <summary>Zeros fill keys up to whole tiles.</summary>
    public static void ClearRest(float* scores, int keys, int filled) =>
        new Span<float>(scores + ((nint)keys * Block), (filled - keys) * Block).Clear();

    /// <summary>Scores become probabilities, P = exp(S − max)/sum, and dP becomes dS = P∘(dP − shift).</summary>
    /// <param name="scores">[keys, block].</param>
    /// <param name="gradient">[keys, block].</param>
    /// <param name="keys">How many keys there are.</param>
    /// <param name="columns">What is known of each query.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Gradient(float* scores, float* gradient, int keys, in QueryColumns columns)
    {
        var (max0, max1) = (Vector512.Load(columns.Max), Vector512.Load(columns.Max + Half));
        var (inverse0, inverse1) = (Vector512.Load(columns.Inverse), Vector512.Load(columns.Inverse + Half));
        var (shift0, shift1) = (Vector512.Load(columns.Shift), Vector512.Load(columns.Shift + Half));
        for (nint i = 0; i < (nint)keys * Block; i += Block)
        {
            var x = VectorExp.Of(Vector512.Load(scores + i) - max0) * inverse0;
            var y = VectorExp.Of(Vector512.Load(scores + i + Half) - max1) * inverse1;
            x.Store(scores + i);
            y.Store(scores + i + Half);
            ((Vector512.Load(gradient + i) - shift0) * x).Store(gradient + i);
            ((Vector512.Load(gradient + i + Half) - shift1) * y).Store(gradient + i + Half);
        }
    }
}
