using System.Numerics.Tensors;
using OrtPeft.Autodiff;
using OrtPeft.Kernels.Native;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Kernels.Operators;

/// <summary>
/// Layer normalisation over the last axis: Y = x̂·scale + bias with x̂ = (x − mean(x))/√(variance(x) + ε).
/// </summary>
/// <seealso href="https://onnx.ai/onnx/operators/onnx__LayerNormalization.html">The standard operator, opset 17.</seealso>
public static unsafe class LayerNorm
{
    /// <summary>The operator.</summary>
    public static FusedOp Forward { get; } = new()
    {
        Name = "LayerNorm",
        Signature = OpSignature.Parse("X[..., n], scale[n], bias[n], epsilon[] → Y[..., n]"),
        Raise = RaiseStandard,
        Gradient = Differentiate,
        Lower = LowerForward,
        Run = RunForward,
        RunsInPlace = true,
        IsPass = true,
    };

    /// <summary>With g = dY·scale: dX = (g − mean(g) − x̂·mean(g·x̂))/√(variance(x) + ε) + addend. The kernel computes
    /// mean and variance again, which costs less than reading them from memory would.</summary>
    public static FusedOp Backward { get; } = new()
    {
        Name = "LayerNormGrad",
        Signature = OpSignature.Parse(
            "dY[..., n], X[..., n], scale[n], epsilon[], addend?[..., n] → dX[..., n]"),
        Lower = LowerBackward,
        Run = RunBackward,
        RunsInPlace = true,
    };

    /// <summary>x̂, which the gradient at the scale needs.</summary>
    public static FusedOp Rows { get; } = new()
    {
        Name = "LayerNormRows",
        Signature = OpSignature.Parse("X[..., n], epsilon[] → Y[..., n]"),
        Lower = static c => [Statistics(c, c.X(0), c.X(1)).Normal],
        HasKernel = false,
    };

    private static void RaiseStandard(RaisingContext context)
    {
        foreach (var node in context.Nodes("LayerNormalization"))
        {
            if (node.Outputs.Skip(1).Any(static o => o.Uses.Count > 0 || o.IsGraphOutput)
                || !NormForm.IsOfLastAxis(node) || !NormForm.AreVectors(node.Inputs[0]!, node.Input(1), node.Input(2)))
                continue;
            var epsilon = context.G.ScalarLike(node.Inputs[0]!, node.Attributes.Float("epsilon", 1e-5f));
            context.Put(Forward, node, node.Inputs[0], node.Inputs[1], node.Inputs[2], epsilon);
        }
    }

    private static IReadOnlyList<Value?> Differentiate(RuleContext c)
    {
        var (x, scale, epsilon) = (c.X(), c.X(1), c.X(3));
        var normal = Rows.Apply(c.G, [x, epsilon])[0];
        return [Backward.Apply(c.G, [c.DY, x, scale, epsilon])[0], c.DY * normal, c.DY, null];
    }

    /// <summary>Written out where the gradient needs the same numbers: ONNX Runtime's element-wise operators are faster
    /// than the sums in its own, which add one number after the other.</summary>
    private static IReadOnlyList<Value?> LowerForward(LoweringContext c)
    {
        var (x, epsilon) = (c.X(0), c.X(3));
        if (c.IsLoweredWith(Backward, x) || c.IsLoweredWith(Rows, x))
            return [Statistics(c, x, epsilon).Normal * c.X(1) + c.X(2)];
        return [c.G.Op("LayerNormalization", [x, c.X(1), c.X(2)], NormForm.Epsilon(epsilon))];
    }

    private static IReadOnlyList<Value?> LowerBackward(LoweringContext c)
    {
        var (normal, inverse) = Statistics(c, c.X(1), c.X(3));
        var g = c.X(0) * c.X(2);
        var dX = (g - Mean(g, [-1]) - normal * Mean(g * normal, [-1])) * inverse;
        return [c.Node.Input(4) is { } addend ? dX + addend : dX];
    }

    private static (Term Normal, Term Inverse) Statistics(LoweringContext c, Term x, Value epsilon) =>
        c.Shared("layer-norm", x, epsilon, () =>
        {
            var centred = x - Mean(x, [-1]);
            var inverse = Reciprocal(Sqrt(Mean(centred * centred, [-1]) + epsilon));
            return (centred * inverse, inverse);
        });

    private static void RunForward(KernelCall call)
    {
        var work = new Work
        {
            X = call.Input<float>(0),
            Scale = call.Input<float>(1),
            Bias = call.Input<float>(2),
            Epsilon = *call.Input<float>(3),
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
        var y = new Span<float>(work.Y + (row * n), n);
        var inverse = Centre(new ReadOnlySpan<float>(work.X + (row * n), n), y, work.Epsilon);
        TensorPrimitives.Multiply(y, inverse, y);
        TensorPrimitives.MultiplyAdd(
            y, new ReadOnlySpan<float>(work.Scale, n), new ReadOnlySpan<float>(work.Bias, n), y);
    }

    private static void BackwardRow(in Work work, long row)
    {
        var n = work.N;
        var dX = new Span<float>(work.Y + (row * n), n);
        var normal = new Span<float>(new KernelScratch(n, parts: 1).Take(n), n);
        var inverse = Centre(new ReadOnlySpan<float>(work.X + (row * n), n), normal, work.Epsilon);
        TensorPrimitives.Multiply(normal, inverse, normal);
        TensorPrimitives.Multiply(
            new ReadOnlySpan<float>(work.DY + (row * n), n), new ReadOnlySpan<float>(work.Scale, n), dX);
        var shift = TensorPrimitives.Sum(dX) / n;
        var slope = TensorPrimitives.Dot(dX, normal) / n;
        TensorPrimitives.MultiplyAdd(normal, -slope, dX, dX);
        TensorPrimitives.Subtract(dX, shift, dX);
        if (work.Addend == null)
            TensorPrimitives.Multiply(dX, inverse, dX);
        else
            TensorPrimitives.MultiplyAdd(dX, inverse, new ReadOnlySpan<float>(work.Addend + (row * n), n), dX);
    }

    /// <summary>Writes x − mean and returns 1/√(variance + ε).</summary>
    private static float Centre(ReadOnlySpan<float> x, Span<float> centred, float epsilon)
    {
        TensorPrimitives.Subtract(x, TensorPrimitives.Sum(x) / x.Length, centred);
        var variance = TensorPrimitives.SumOfSquares(centred) / x.Length;
        return 1 / MathF.Sqrt(variance + epsilon);
    }

    private struct Work
    {
        public float* DY, X, Scale, Bias, Addend, Y;
        public int N;
        public float Epsilon;
    }
}
