using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using OrtPeft.Kernels.Loops;

namespace OrtPeft.Kernels.HeadWise;

/// <summary>Operations on the scores of a block of queries, each a column: [keys, block], a block of two vectors. So
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
    /// <param name="mask">[keys after those, block].</param>
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
    public static void Gradient(float* scores, float* gradient, int keys, in QueryColumns columns)
    {
        if (Avx512F.IsSupported)
            GradientOfColumns<Register512>(scores, gradient, keys, in columns);
        else if (Vector256.IsHardwareAccelerated)
            GradientOfColumns<Register256>(scores, gradient, keys, in columns);
        else
            GradientOfColumns<Register128>(scores, gradient, keys, in columns);
    }

    /// <summary>Two registers' columns at once.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void GradientOfColumns<T>(float* scores, float* gradient, int keys, in QueryColumns columns)
        where T : struct, IRegister<T>
    {
        for (var column = 0; column < Block; column += 2 * T.Count)
        {
            var next = column + T.Count;
            var (max0, max1) = (T.Load(columns.Max + column), T.Load(columns.Max + next));
            var (inverse0, inverse1) = (T.Load(columns.Inverse + column), T.Load(columns.Inverse + next));
            var (shift0, shift1) = (T.Load(columns.Shift + column), T.Load(columns.Shift + next));
            for (nint i = column; i < (nint)keys * Block; i += Block)
            {
                var x = VectorExp.Of(T.Load(scores + i) - max0) * inverse0;
                var y = VectorExp.Of(T.Load(scores + i + T.Count) - max1) * inverse1;
                x.Store(scores + i);
                y.Store(scores + i + T.Count);
                ((T.Load(gradient + i) - shift0) * x).Store(gradient + i);
                ((T.Load(gradient + i + T.Count) - shift1) * y).Store(gradient + i + T.Count);
            }
        }
    }
}
