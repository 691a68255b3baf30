using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using OrtPeft.Autodiff;
using OrtPeft.Kernels.Layouts;
using OrtPeft.Kernels.Loops;
using OrtPeft.Kernels.Native;
using OrtPeft.Kernels.Products;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Kernels.Operators;

/// <summary>
/// GELU's tanh form of a linear layer's product and its bias, x·σ(z) with x = X + bias and z = x·(a + b·x²).
/// </summary>
/// <seealso href="https://arxiv.org/abs/1606.08415">Hendrycks and Gimpel, GELU, section 2: the tanh form.</seealso>
public static unsafe class Gelu
{
    /// <summary>a = 2·√(2/π).</summary>
    private const double Linear = 1.5957691216057308;

    /// <summary>b = 2·√(2/π)·0.044715.</summary>
    private const double Cubic = 0.071354816272600248;

    [ThreadStatic]
    private static float[]? _zeros;

    /// <summary>The operator.</summary>
    public static FusedOp Forward { get; } = new()
    {
        Name = "Gelu",
        Signature = OpSignature.Parse("X[..., n], bias?[n] → Y[..., n]"),
        Raise = RaiseStandard,
        Gradient = Differentiate,
        Lower = LowerForward,
        Run = RunForward,
        RunsInPlace = true,
    };

    /// <summary>dX = dY·(σ + σ(1 − σ)·(3z − 2a·x)): one transcendental function and no tanh.</summary>
    public static FusedOp Backward { get; } = new()
    {
        Name = "GeluGrad",
        Signature = OpSignature.Parse("dY[..., n], X[..., n], bias?[n] → dX[..., n]"),
        Lower = LowerBackward,
        Run = RunBackward,
        RunsInPlace = true,
    };

    private static IReadOnlyList<Value?> Differentiate(RuleContext c)
    {
        var dX = Backward.Apply(c.G, [c.DY, c.X(), c.Node.Input(1)])[0];
        return c.PadToInputs(dX, dX);
    }

    private static void RaiseStandard(RaisingContext context)
    {
        foreach (var node in context.Nodes("Gelu"))
        {
            if (node.Attributes.String("approximate", "none") != "tanh" || !NormForm.AreVectors(node.Inputs[0]!))
                continue;
            var (x, bias) = Parts(node.Inputs[0]!);
            context.Put(Forward, node, bias is null ? [x] : [x, bias]);
        }
    }

    /// <summary>The sum of a product and its bias, or anything.</summary>
    private static (Value Product, Value? Bias) Parts(Value x)
    {
        if (x.Producer is { } add && add.Is("Add"))
        {
            for (var side = 0; side < 2; side++)
            {
                var (product, bias) = (add.Inputs[side]!, add.Inputs[1 - side]!);
                if (product.Shape?.Rank == x.Shape!.Rank && NormForm.AreVectors(product, bias))
                    return (product, bias);
            }
        }

        return (x, null);
    }

    /// <summary>Written out where the gradient computes σ anyway.</summary>
    private static IReadOnlyList<Value?> LowerForward(LoweringContext c)
    {
        var (product, bias) = (c.X(0), c.Node.Input(1));
        var x = Sum(c, product, bias);
        return c.IsLoweredWith(Backward, product)
            ? [x * Sigma(c, product, bias).Sigma]
            : [c.G.Op("Gelu", [x], NodeAttribute.Of("approximate", "tanh"))];
    }

    private static IReadOnlyList<Value?> LowerBackward(LoweringContext c)
    {
        var (product, bias) = (c.X(1), c.Node.Input(2));
        var (z, sigma) = Sigma(c, product, bias);
        return [c.X(0) * (sigma + (sigma - sigma * sigma) * (3 * z - 2 * Linear * Sum(c, product, bias)))];
    }

    private static Term Sum(LoweringContext c, Term product, Value? bias) =>
        bias is null ? product : c.Shared("gelu-sum", product, bias, () => product + bias);

    private static (Term Z, Term Sigma) Sigma(LoweringContext c, Term product, Value? bias) =>
        c.Shared("gelu", product, bias, () =>
        {
            var x = Sum(c, product, bias);
            var z = x * (Cubic * (x * x) + Linear);
            return (z, Sigmoid(z));
        });

    private static void RunForward(KernelCall call)
    {
        var dims = call.Dims(0);
        var work = new Work
        {
            X = call.Input<float>(0),
            Bias = Bias(call, 1),
            Y = call.Output(0, dims),
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
            Bias = Bias(call, 2),
            Y = call.Output(0, call.Dims(0)),
            N = call.RowLength(0),
        };
        call.Share(in work, &BackwardRow, call.Rows(0));
    }

    /// <summary>Zeros where there is none.</summary>
    private static float* Bias(KernelCall call, int input)
    {
        if (call.Has(input))
            return call.Input<float>(input);
        var n = call.RowLength(0);
        var zeros = KeptMemory.Of(ref _zeros, n);
        new Span<float>(zeros, n).Clear();
        return zeros;
    }

    /// <summary>GELU of a tile of a product, which stays as it is.</summary>
    [SkipLocalsInit]
    internal static void Activate(in ProductPlan plan, in FinishedTile tile)
    {
        if (tile.Strip == null)
        {
            var y = new StridedRows(plan.Finished + tile.Place, (nint)plan.Columns);
            Map<Activation>(in plan, in tile, tile.Sums, y, streams: true);
            return;
        }

        var rows = stackalloc float[StripOrder.Numbers];
        Map<Activation>(in plan, in tile, tile.Sums, new StridedRows(rows, PackedMatrix.Width), streams: false);
        StripOrder.Stream(rows, in tile);
    }

    /// <summary>A tile of a product times GELU's slope.</summary>
    [SkipLocalsInit]
    internal static void MultiplySlope(in ProductPlan plan, in FinishedTile tile)
    {
        var hidden = new StridedRows(plan.Hidden + tile.Place, (nint)plan.Columns);
        if (tile.Strip == null)
        {
            Map<Slope>(in plan, in tile, hidden, tile.Sums, streams: false);
            return;
        }

        var rows = stackalloc float[StripOrder.Numbers];
        Map<Slope>(in plan, in tile, hidden, new StridedRows(rows, PackedMatrix.Width), streams: false);
        StripOrder.Put(rows, in tile);
    }

    private static void Map<TFunction>(
        in ProductPlan plan, in FinishedTile tile, StridedRows second, StridedRows y, bool streams)
        where TFunction : ITernaryFunction => VectorLoops.MapRows<TFunction>(
            tile.Sums, second, plan.HiddenBias + tile.Column, y, tile.Rows, tile.Columns, streams);

    private static void ForwardRow(in Work work, long row)
    {
        var start = row * work.N;
        VectorLoops.Map<Activation>(work.X + start, work.X + start, work.Bias, work.Y + start, work.N);
    }

    private static void BackwardRow(in Work work, long row)
    {
        var start = row * work.N;
        VectorLoops.Map<Slope>(work.DY + start, work.X + start, work.Bias, work.Y + start, work.N);
    }

    /// <summary>−z.</summary>
    private static Vector512<float> NegativeInner(Vector512<float> x) =>
        x * Vector512.FusedMultiplyAdd(x * x, Vector512.Create((float)-Cubic), Vector512.Create((float)-Linear));

    private readonly struct Activation : ITernaryFunction
    {
        public static Vector512<float> Of(Vector512<float> product, Vector512<float> same, Vector512<float> bias)
        {
            var x = product + bias;
            return x * VectorExp.SigmoidOfNegative(NegativeInner(x));
        }
    }

    private readonly struct Slope : ITernaryFunction
    {
        public static Vector512<float> Of(Vector512<float> dY, Vector512<float> product, Vector512<float> bias)
        {
            var x = product + bias;
            var z = NegativeInner(x);
            var sigma = VectorExp.SigmoidOfNegative(z);
            var slope = Vector512.FusedMultiplyAdd(x, Vector512.Create((float)(-2 * Linear)), z * -3);
            return dY * Vector512.FusedMultiplyAdd(sigma * (Vector512<float>.One - sigma), slope, sigma);
        }
    }

    private struct Work
    {
        public float* DY, X, Bias, Y;
        public int N;
    }
}
