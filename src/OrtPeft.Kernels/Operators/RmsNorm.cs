using System.Numerics.Tensors;
using OrtPeft.Autodiff;
using OrtPeft.Kernels.Native;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Kernels.Operators;

/// <summary>Root mean square normalisation over the last axis: Y = x̂·scale with x̂ = x/√(mean(x²) + ε).</summary>
/// <seealso href="https://onnx.ai/onnx/operators/onnx__RMSNormalization.html">The standard operator, opset 23; in
/// canonical form it is ONNX Runtime's SimplifiedLayerNormalization.</seealso>
public static unsafe class RmsNorm
{
    private const string Standard = "SimplifiedLayerNormalization";

    /// <summary>The operator.</summary>
    public static FusedOp Forward { get; } = new()
    {
        Name = "RmsNorm",
        Signature = OpSignature.Parse("X~[..., n], scale[n], epsilon[] → Y[..., n]"),
        Raise = RaiseStandard,
        Gradient = Differentiate,
        Lower = LowerForward,
        Run = RunForward,
        RunsInPlace = true,
        IsPass = true,
    };

    /// <summary>With g = dY·scale: dX = (g − x̂·mean(g·x̂))/√(mean(x²) + ε) + addend.</summary>
    public static FusedOp Backward { get; } = new()
    {
        Name = "RmsNormGrad",
        Signature = OpSignature.Parse("dY[..., n], X~[..., n], scale[n], epsilon[], addend?[..., n] → dX[..., n]"),
        Lower = LowerBackward,
        Run = RunBackward,
        RunsInPlace = true,
    };

    /// <summary>x̂, which the gradient at the scale needs.</summary>
    public static FusedOp Rows { get; } = new()
    {
        Name = "RmsNormRows",
        Signature = OpSignature.Parse("X~[..., n], epsilon[] → Y[..., n]"),
        Lower = static c => [c.X(0) * Inverse(c, c.X(0), c.X(1))],
        HasKernel = false,
    };

    private static void RaiseStandard(RaisingContext context)
    {
        foreach (var node in context.Nodes(Standard))
        {
            if (node.Outputs.Skip(1).Any(static o => o.Uses.Count > 0 || o.IsGraphOutput)
                || !NormForm.IsOfLastAxis(node) || !NormForm.AreVectors(node.Inputs[0]!, node.Input(1)))
                continue;
            var epsilon = context.G.ScalarLike(node.Inputs[0]!, node.Attributes.Float("epsilon", 1e-5f));
            context.Put(Forward, node, node.Inputs[0], node.Inputs[1], epsilon);
        }
    }

    private static IReadOnlyList<Value?> Differentiate(RuleContext c)
    {
        var (x, scale, epsilon) = (c.X(), c.X(1), c.X(2));
        var normal = Rows.Apply(c.G, [x, epsilon])[0];
        return [Backward.Apply(c.G, [c.DY, x, scale, epsilon])[0], c.DY * normal, null];
    }

    /// <summary>Where the gradient needs 1/√(mean(x²) + ε), it reads the standard operator's second output.</summary>
    private static IReadOnlyList<Value?> LowerForward(LoweringContext c)
    {
        var (x, epsilon) = (c.X(0), c.X(2));
        var isRead = c.IsLoweredWith(Backward, x) || c.IsLoweredWith(Rows, x);
        var results = c.G.Ops(
            Standard, isRead ? 2 : 1, [x, c.X(1)], [NodeAttribute.Of("axis", -1L), NormForm.Epsilon(epsilon)]);
        if (isRead)
            c.Shared("rms-norm", x, epsilon, () => Cast(c.G.Term(results[1]), x.Type));
        return [results[0]];
    }

    private static IReadOnlyList<Value?> LowerBackward(LoweringContext c)
    {
        var inverse = Inverse(c, c.X(1), c.X(3));
        var (normal, g) = (c.X(1) * inverse, c.X(0) * c.X(2));
        var dX = (g - normal * Mean(g * normal, [-1])) * inverse;
        return [c.Node.Input(4) is { } addend ? dX + addend : dX];
    }

    private static Term Inverse(LoweringContext c, Term x, Value epsilon) =>
        c.Shared("rms-norm", x, epsilon, () => Reciprocal(Sqrt(Mean(x * x, [-1]) + epsilon)));

    private static void RunForward(KernelCall call)
    {
        var work = new Work
        {
            X = call.Input<float>(0),
            Scale = call.Input<float>(1),
            Epsilon = *call.Input<float>(2),
            Y = call.Output(0, call.Dims(0)),
            N = call.RowLength(0),
        };
        call.Share(in work, &ForwardRow, call.Rows(0));
    }

    private static void RunBackward(KernelCall call)
    {
        var work = new Work
        {
            DY = call.Input<float>(0),
            X = call.Input<float>(1),
            Scale = call.Input<float>(2),
            Epsilon = *call.Input<float>(3),
            Addend = call.OptionalInput(4),
            Y = call.Output(0, call.Dims(0)),
            N = call.RowLength(0),
        };
        call.Share(in work, &BackwardRow, call.Rows(0));
    }

    private static void ForwardRow(in Work work, long row)
    {
        var n = work.N;
        var x = new ReadOnlySpan<float>(work.X + (row * n), n);
        var y = new Span<float>(work.Y + (row * n), n);
        TensorPrimitives.Multiply(x, Inverse(x, work.Epsilon), y);
        TensorPrimitives.Multiply(y, new ReadOnlySpan<float>(work.Scale, n), y);
    }

    private static void BackwardRow(in Work work, long row)
    {
        var n = work.N;
        var x = new ReadOnlySpan<float>(work.X + (row * n), n);
        var dX = new Span<float>(work.Y + (row * n), n);
        var inverse = Inverse(x, work.Epsilon);
        TensorPrimitives.Multiply(
            new ReadOnlySpan<float>(work.DY + (row * n), n), new ReadOnlySpan<float>(work.Scale, n), dX);
        // x̂·mean(g·x̂), where x̂ = inverse·x.
        var slope = inverse * inverse * TensorPrimitives.Dot(dX, x) / n;
        TensorPrimitives.MultiplyAdd(x, -slope, dX, dX);
        if (work.Addend == null)
            TensorPrimitives.Multiply(dX, inverse, dX);
        else
            TensorPrimitives.MultiplyAdd(dX, inverse, new ReadOnlySpan<float>(work.Addend + (row * n), n), dX);
    }

    private static float Inverse(ReadOnlySpan<float> x, float epsilon) =>
        1 / MathF.Sqrt((TensorPrimitives.SumOfSquares(x) / x.Length) + epsilon);

    private struct Work
    {
        public float* DY, X, Scale, Addend, Y;
        public int N;
        public float Epsilon;
    }
}
