using System.Runtime.CompilerServices;
using OrtPeft.Kernels.Functions;
using OrtPeft.Kernels.Loops;
using OrtPeft.Kernels.Native;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Kernels.Operators;

/// <summary>The inner rows of a gated MLP, Y = f(gate)·up.</summary>
/// <typeparam name="T">f.</typeparam>
/// <seealso href="https://arxiv.org/abs/2002.05202">Shazeer, GLU variants, equations 5 and 6.</seealso>
internal static unsafe class Gated<T>
    where T : struct, IActivation
{
    /// <summary>The operator.</summary>
    public static FusedOp Forward { get; } = new()
    {
        Name = $"Gated{T.Name}",
        Signature = OpSignature.Parse("gate~[..., n], up~[..., n] → Y[..., n]"),
        Raise = RaiseStandard,
        Gradient = static c => Backward!.Apply(c.G, [c.DY, c.X(0), c.X(1)]),
        Lower = LowerForward,
        Run = RunForward,
        RunsInPlace = true,
        IsPass = true,
    };

    /// <summary>dGate = dY·up·f′(gate), dUp = dY·f(gate).</summary>
    public static FusedOp Backward { get; } = new()
    {
        Name = $"Gated{T.Name}Grad",
        Signature = OpSignature.Parse("dY[..., n], gate~[..., n], up~[..., n] → dGate[..., n], dUp[..., n]"),
        Lower = LowerBackward,
        Run = RunBackward,
        RunsInPlace = true,
    };

    private static void RaiseStandard(RaisingContext context)
    {
        foreach (var node in context.Nodes("Mul"))
        {
            for (var side = 0; side < 2; side++)
            {
                var (open, up) = (node.Inputs[side]!, node.Inputs[1 - side]!);
                if (GateOf(open) is not { Shape: { Rank: > 0 } shape } gate || !gate.Type.IsFloating()
                    || up.Initializer is not null || !SameRows.AreOfOneShape(shape, up.Shape))
                    continue;
                context.Put(Forward, node, gate, up);
                break;
            }
        }
    }

    /// <summary>The g of f(g), if nothing else reads that.</summary>
    private static Value? GateOf(Value open) =>
        open is { IsGraphOutput: false, Uses: [_], Producer: { } node } ? T.ArgumentOf(node) : null;

    private static IReadOnlyList<Value?> LowerForward(LoweringContext c)
    {
        var gate = c.X(0);
        return [(c.IsLoweredWith(Backward, gate) ? Shared(c, gate).Y : T.Of(gate)) * c.X(1)];
    }

    private static IReadOnlyList<Value?> LowerBackward(LoweringContext c)
    {
        var (dY, open) = (c.X(0), Shared(c, c.X(1)));
        return [open.Gradient(dY * c.X(2)), dY * open.Y];
    }

    private static ValueAndGradient Shared(LoweringContext c, Term gate) =>
        c.Shared(T.Name, gate, null, () => T.WithGradient(gate));

    private static void RunForward(KernelCall call)
    {
        var work = new Work
        {
            Gate = call.Input<float>(0),
            Up = call.Input<float>(1),
            Y = call.Output(0, call.Dims(0)),
            N = call.RowLength(0),
        };
        call.Share(in work, &ForwardRow, call.Rows(0));
    }

    private static void RunBackward(KernelCall call)
    {
        var dims = call.Dims(0);
        var work = new Work
        {
            DY = call.Input<float>(0),
            Gate = call.Input<float>(1),
            Up = call.Input<float>(2),
            Y = call.Output(0, dims),
            DUp = call.Output(1, dims),
            N = call.RowLength(0),
        };
        call.Share(in work, &BackwardRow, call.Rows(0));
    }

    private static void ForwardRow(in Work work, long row)
    {
        var start = row * work.N;
        var gate = work.Gate + start;
        VectorLoops.Map<Product>(gate, gate, work.Up + start, work.Y + start, work.N);
    }

    private static void BackwardRow(in Work work, long row)
    {
        var start = row * work.N;
        VectorLoops.Map<Gradients>(
            work.DY + start, work.Gate + start, work.Up + start, work.Y + start, work.DUp + start, work.N);
    }

    private readonly struct Product : ITernaryFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TRegister Of<TRegister>(TRegister gate, TRegister same, TRegister up)
            where TRegister : struct, IRegister<TRegister> =>
            T.Of(gate) * up;
    }

    private readonly struct Gradients : ITwinFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TRegister Of<TRegister>(TRegister dY, TRegister gate, TRegister up, out TRegister dUp)
            where TRegister : struct, IRegister<TRegister>
        {
            var dGate = T.Gradient(gate, dY * up, out var open);
            dUp = dY * open;
            return dGate;
        }
    }

    private struct Work
    {
        public float* DY, Gate, Up, Y, DUp;
        public int N;
    }
}
