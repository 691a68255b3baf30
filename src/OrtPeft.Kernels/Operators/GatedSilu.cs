using System.Runtime.Intrinsics;
using OrtPeft.Kernels.Loops;
using OrtPeft.Kernels.Native;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Kernels.Operators;

/// <summary>The inner rows of a gated MLP, Y = gate·σ(gate)·up.</summary>
/// <seealso href="https://arxiv.org/abs/2002.05202">Shazeer, GLU variants, equation 6: SwiGLU.</seealso>
public static unsafe class GatedSilu
{
    /// <summary>The operator.</summary>
    public static FusedOp Forward { get; } = new()
    {
        Name = "GatedSilu",
        Signature = OpSignature.Parse("gate[..., n], up[..., n] → Y[..., n]"),
        Raise = RaiseStandard,
        Gradient = static c => Backward!.Apply(c.G, [c.DY, c.X(0), c.X(1)]),
        Lower = LowerForward,
        Run = RunForward,
        RunsInPlace = true,
    };

    /// <summary>With s = gate·σ: dUp = dY·s, dGate = dY·up·(σ + s − s·σ).</summary>
    public static FusedOp Backward { get; } = new()
    {
        Name = "GatedSiluGrad",
        Signature = OpSignature.Parse("dY[..., n], gate[..., n], up[..., n] → dGate[..., n], dUp[..., n]"),
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
                var (silu, up) = (node.Inputs[side]!, node.Inputs[1 - side]!);
                if (GateOf(silu) is not { } gate || gate.Shape is not { Rank: > 0 } shape || !gate.Type.IsFloating()
                    || up.Initializer is not null || !SameRows.AreOfOneShape(shape, up.Shape))
                    continue;
                context.Put(Forward, node, gate, up);
                break;
            }
        }
    }

    /// <summary>The g of g·σ(g), if nothing else reads that.</summary>
    private static Value? GateOf(Value silu)
    {
        if (silu is not { IsGraphOutput: false, Uses: [_], Producer: { } mul } || !mul.Is("Mul"))
            return null;
        for (var side = 0; side < 2; side++)
        {
            if (mul.Inputs[side] is { Producer: { } sigmoid, Uses: [_], IsGraphOutput: false }
                && sigmoid.Is("Sigmoid") && sigmoid.Inputs[0] == mul.Inputs[1 - side])
                return sigmoid.Inputs[0];
        }

        return null;
    }

    private static IReadOnlyList<Value?> LowerForward(LoweringContext c) =>
        [Silu(c, c.X(0)).Silu * c.X(1)];

    private static IReadOnlyList<Value?> LowerBackward(LoweringContext c)
    {
        var (dY, (sigma, silu)) = (c.X(0), Silu(c, c.X(1)));
        return [dY * c.X(2) * (sigma + (silu - silu * sigma)), dY * silu];
    }

    private static (Term Sigma, Term Silu) Silu(LoweringContext c, Term gate) => c.Shared("silu", gate, null, () =>
    {
        var sigma = Sigmoid(gate);
        return (sigma, gate * sigma);
    });

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
        VectorLoops.Map<Product>(gate, work.Up + start, gate, work.Y + start, work.N);
    }

    /// <summary>dUp first: dGate may take dY's place.</summary>
    private static void BackwardRow(in Work work, long row)
    {
        var start = row * work.N;
        var gate = work.Gate + start;
        VectorLoops.Map<Product>(gate, work.DY + start, gate, work.DUp + start, work.N);
        VectorLoops.Map<Slope>(work.DY + start, work.Up + start, gate, work.Y + start, work.N);
    }

    /// <summary>gate·σ(gate)·other.</summary>
    private readonly struct Product : ITernaryFunction
    {
        public static Vector512<float> Of(Vector512<float> gate, Vector512<float> other, Vector512<float> same) =>
            gate * VectorExp.SigmoidOfNegative(-gate) * other;
    }

    /// <summary>dY·up·(σ + s − s·σ).</summary>
    private readonly struct Slope : ITernaryFunction
    {
        public static Vector512<float> Of(Vector512<float> dY, Vector512<float> up, Vector512<float> gate)
        {
            var sigma = VectorExp.SigmoidOfNegative(-gate);
            var silu = gate * sigma;
            return dY * up * (sigma + (silu - (silu * sigma)));
        }
    }

    private struct Work
    {
        public float* DY, Gate, Up, Y, DUp;
        public int N;
    }
}
