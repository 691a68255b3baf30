using System.Numerics.Tensors;
using OrtPeft.Kernels.Loops;
using OrtPeft.Kernels.Native;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Kernels.Operators;

/// <summary>
/// The next token's probabilities, P = softmax of each row, and the logarithm of the right one's: no matrix of
/// logarithms is made. The objective that makes it seeds the gradient with P itself.
/// </summary>
public static unsafe class CrossEntropy
{
    /// <summary>The operator.</summary>
    public static FusedOp Forward { get; } = new()
    {
        Name = "CrossEntropy",
        Signature = OpSignature.Parse("logits[m, vocabulary], targets:int64[m, 1] → P[m, vocabulary], logP[m, 1]"),
        Lower = static c =>
        {
            var logP = c.G.LogSoftmax(c.X(0));
            var atTarget = c.G.Op("GatherElements", [logP, c.X(1)], NodeAttribute.Of("axis", 1L));
            return [Exp(c.G.Term(logP)), atTarget];
        },
        Run = RunForward,
        RunsInPlace = true,
    };

    /// <summary>Computes rows.</summary>
    /// <param name="call">Whose threads compute.</param>
    /// <param name="logits">[rows, n].</param>
    /// <param name="targets">[rows], each from 0 to n − 1.</param>
    /// <param name="p">[rows, n]; may be the logits' memory.</param>
    /// <param name="logP">[rows].</param>
    /// <param name="rows">How many rows there are.</param>
    /// <param name="n">The size of the vocabulary.</param>
    /// <exception cref="ArgumentException">A target is not of the vocabulary.</exception>
    internal static void Compute(
        KernelCall call, float* logits, long* targets, float* p, float* logP, long rows, long n)
    {
        for (var row = 0L; row < rows; row++)
        {
            if (targets[row] < 0 || targets[row] >= n)
                throw new ArgumentException($"target {targets[row]} is not in 0 to {n - 1}.");
        }

        var work = new Work { Logits = logits, Targets = targets, P = p, LogP = logP, N = checked((int)n) };
        call.Share(in work, &Row, rows);
    }

    private static void RunForward(KernelCall call)
    {
        var (dims, targets) = (call.Dims(0), call.Dims(1));
        Compute(
            call,
            call.Input<float>(0),
            call.Input<long>(1),
            call.Output(0, dims),
            call.Output(1, targets),
            dims[0],
            dims[1]);
    }

    private static void Row(in Work work, long row)
    {
        var n = work.N;
        var logits = work.Logits + (row * n);
        var p = work.P + (row * n);
        var max = VectorLoops.Max(logits, n);
        var atTarget = logits[work.Targets[row]] - max;
        var sum = VectorLoops.ExpSum(logits, max, p, n);
        var all = new Span<float>(p, n);
        TensorPrimitives.Multiply(all, 1 / sum, all);
        work.LogP[row] = atTarget - MathF.Log(sum);
    }

    private struct Work
    {
        public float* Logits, P, LogP;
        public long* Targets;
        public int N;
    }
}
