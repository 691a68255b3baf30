using System.Numerics.Tensors;
using OrtPeft.Kernels.Loops;
using OrtPeft.Kernels.Native;

namespace OrtPeft.Kernels.Operators;

/// <summary>The next token's probabilities, and the logarithm of the right one's.</summary>
internal static unsafe class CrossEntropyKernel
{
    /// <summary>
    /// Logits [n, vocabulary], targets [n, 1] int64 → P = softmax of each row [n, vocabulary], ln P[target] [n, 1].
    /// </summary>
    public static void Run(KernelCall call)
    {
        var (dims, targets) = (call.Dims(0), call.Dims(1));
        if (dims.Length != 2)
            throw new ArgumentException($"logits have {dims.Length} axes, not 2.");
        KernelShapes.RequireEqual([dims[0], 1], targets);
        var work = new KernelWork
        {
            Body = &Row,
            A = call.Input<float>(0),
            Integers = call.Input<long>(1),
            Y = call.Output(0, dims),
            Z = call.Output(1, targets),
        };
        for (var row = 0L; row < dims[0]; row++)
        {
            if (work.Integers[row] < 0 || work.Integers[row] >= dims[1])
                throw new ArgumentException($"target {work.Integers[row]} is not in 0 to {dims[1] - 1}.");
        }

        call.ShareRows(work, dims);
    }

    private static void Row(in KernelWork work, long row)
    {
        var n = work.Columns;
        var logits = work.A + (row * n);
        var p = work.Y + (row * n);
        var max = VectorLoops.Max(logits, n);
        var atTarget = logits[work.Integers[row]] - max;
        var sum = VectorLoops.ExpSum(logits, max, p, n);
        var all = new Span<float>(p, n);
        TensorPrimitives.Multiply(all, 1 / sum, all);
        work.Z[row] = atTarget - MathF.Log(sum);
    }
}
