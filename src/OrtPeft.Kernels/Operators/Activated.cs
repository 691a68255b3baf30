using System.Runtime.CompilerServices;
using OrtPeft.Autodiff;
using OrtPeft.Kernels.Functions;
using OrtPeft.Kernels.Loops;
using OrtPeft.Kernels.Native;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Kernels.Operators;

/// <summary>An activation of a linear layer's product and its bias, Y = f(X + bias).</summary>
/// <typeparam name="T">f.</typeparam>
internal static unsafe class Activated<T>
    where T : struct, IActivation
{
    [ThreadStatic]
    private static float[]? _zeros;

    /// <summary>The operator.</summary>
    public static FusedOp Forward { get; } = new()
    {
        Name = T.Name,
        Signature = OpSignature.Parse("X~[..., n], bias?[n] → Y[..., n]"),
        Raise = RaiseStandard,
        Gradient = Differentiate,
        Lower = LowerForward,
        Run = RunForward,
        RunsInPlace = true,
        IsPass = true,
    };

    /// <summary>dX = dY·f′(X + bias).</summary>
    public static FusedOp Backward { get; } = new()
    {
        Name = $"{T.Name}Grad",
        Signature = OpSignature.Parse("dY[..., n], X~[..., n], bias?[n] → dX[..., n]"),
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
        foreach (var node in context.G.Graph.Nodes.ToArray())
        {
            if (T.ArgumentOf(node) is not { } x || !NormForm.AreVectors(x))
                continue;
            var (product, bias) = Parts(x);
            context.Put(Forward, node, bias is null ? [product] : [product, bias]);
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

    private static IReadOnlyList<Value?> LowerForward(LoweringContext c)
    {
        var (product, bias) = (c.X(0), c.Node.Input(1));
        return [c.IsLoweredWith(Backward, product) ? Shared(c, product, bias).Y : T.Of(Sum(c, product, bias))];
    }

    private static IReadOnlyList<Value?> LowerBackward(LoweringContext c) =>
        [Shared(c, c.X(1), c.Node.Input(2)).Gradient(c.X(0))];

    private static ValueAndGradient Shared(LoweringContext c, Term product, Value? bias) =>
        c.Shared(T.Name, product, bias, () => T.WithGradient(Sum(c, product, bias)));

    private static Term Sum(LoweringContext c, Term product, Value? bias) =>
        bias is null ? product : c.Shared("biased", product, bias, () => product + bias);

    private static void RunForward(KernelCall call)
    {
        var work = new Work
        {
            X = call.Input<float>(0),
            Bias = Bias(call, 1),
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

    private static void ForwardRow(in Work work, long row)
    {
        var start = row * work.N;
        VectorLoops.Map<OfSum>(work.X + start, work.X + start, work.Bias, work.Y + start, work.N);
    }

    private static void BackwardRow(in Work work, long row)
    {
        var start = row * work.N;
        VectorLoops.Map<GradientOfSum>(work.DY + start, work.X + start, work.Bias, work.Y + start, work.N);
    }

    /// <summary>f(product + bias).</summary>
    internal readonly struct OfSum : ITernaryFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TRegister Of<TRegister>(TRegister product, TRegister same, TRegister bias)
            where TRegister : struct, IRegister<TRegister> =>
            T.Of(product + bias);
    }

    /// <summary>dY·f′(product + bias).</summary>
    internal readonly struct GradientOfSum : ITernaryFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TRegister Of<TRegister>(TRegister dY, TRegister product, TRegister bias)
            where TRegister : struct, IRegister<TRegister> =>
            T.Gradient(product + bias, dY, out _);
    }

    private struct Work
    {
        public float* DY, X, Bias, Y;
        public int N;
    }
}
