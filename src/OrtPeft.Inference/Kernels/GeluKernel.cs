using System.Numerics;

namespace OrtPeft.Inference.Kernels;

/// <summary>
/// GELU's tanh form, x·σ(z) with z = x·(a + b·x²), and its gradient, in one pass over memory each.
/// </summary>
internal static unsafe class GeluKernel
{
    /// <summary>Elements that one thread computes at a time.</summary>
    private const int Block = 4096;

    /// <summary>a = 2·√(2/π).</summary>
    private const float Linear = 1.5957691216057308f;

    /// <summary>b = 2·√(2/π)·0.044715.</summary>
    private const float Cubic = 0.071354816272600248f;

    /// <summary>X [...] → Y [...].</summary>
    public static void Forward(KernelCall call)
    {
        var dims = call.Dims(0);
        var count = dims.Count();
        call.Share(
            new KernelWork { Body = &ForwardBlock, A = call.Input<float>(0), Y = call.Output(0, dims), Count = count },
            Blocks(count));
    }

    /// <summary>dY [...], X [...] → dX = dY·(σ + σ(1 − σ)·(3z − 2a·x)) [...].</summary>
    public static void Backward(KernelCall call)
    {
        var dims = call.Dims(0);
        var count = dims.Count();
        KernelShapes.RequireEqual(dims, call.Dims(1));
        call.Share(
            new KernelWork
            {
                Body = &BackwardBlock,
                A = call.Input<float>(0),
                B = call.Input<float>(1),
                Y = call.Output(0, dims),
                Count = count,
            },
            Blocks(count));
    }

    private static long Blocks(long count) => (count + Block - 1) / Block;

    private static void ForwardBlock(in KernelWork work, long block)
    {
        var start = block * Block;
        var x = work.A + start;
        VectorLoops.Map<Value>(x, x, work.Y + start, (int)Math.Min(Block, work.Count - start));
    }

    private static void BackwardBlock(in KernelWork work, long block)
    {
        var start = block * Block;
        VectorLoops.Map<Gradient>(
            work.A + start, work.B + start, work.Y + start, (int)Math.Min(Block, work.Count - start));
    }

    private static Vector<float> Inner(Vector<float> x) =>
        x * Vector.FusedMultiplyAdd(x * x, new Vector<float>(Cubic), new Vector<float>(Linear));

    private readonly struct Value : IBinaryFunction
    {
        public static Vector<float> Of(Vector<float> x, Vector<float> same) => x * VectorExp.Sigmoid(Inner(x));
    }

    private readonly struct Gradient : IBinaryFunction
    {
        public static Vector<float> Of(Vector<float> dY, Vector<float> x)
        {
            var z = Inner(x);
            var sigma = VectorExp.Sigmoid(z);
            var slope = Vector.FusedMultiplyAdd(x, new Vector<float>(-2 * Linear), z * 3);
            return dY * Vector.FusedMultiplyAdd(sigma * (Vector<float>.One - sigma), slope, sigma);
        }
    }
}
