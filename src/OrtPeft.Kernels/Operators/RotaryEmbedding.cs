using System.Runtime.Intrinsics;
using OrtPeft.Kernels.Native;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Kernels.Operators;

/// <summary>
/// Rotary position embedding, Y = X∘cos + (x₂, x₁)∘sin with X = (x₁, x₂) in halves of the last axis; the sines of the
/// first half have the other sign. The tables' axes are as long as X's or 1, but for the last one, which is d.
/// </summary>
/// <seealso href="https://arxiv.org/abs/2104.09864">Su et al., RoFormer, equation 34, its pairs d/2 apart.</seealso>
public static unsafe class RotaryEmbedding
{
    /// <summary>The operator.</summary>
    public static FusedOp Forward { get; } = new()
    {
        Name = "Rotary",
        Signature = OpSignature.Parse("X~[..., d], cos[**], sin[**] → Y[..., d]"),
        Raise = RotaryForm.Raise,
        Gradient = static c => c.PadToInputs(Backward!.Apply(c.G, [c.DY, c.X(1), c.X(2)])[0]),
        Lower = static c => [c.X(0) * c.X(1) + Swapped(c, c.X(0)) * c.X(2)],
        Run = static call => Run(call, isGradient: false),
        IsPass = true,
    };

    /// <summary>dX = dY∘cos + (z₂, z₁) with (z₁, z₂) = dY∘sin.</summary>
    public static FusedOp Backward { get; } = new()
    {
        Name = "RotaryGrad",
        Signature = OpSignature.Parse("dY[..., d], cos[**], sin[**] → dX[..., d]"),
        Lower = static c => [c.X(0) * c.X(1) + Swapped(c, c.X(0) * c.X(2))],
        Run = static call => Run(call, isGradient: true),
    };

    private static Term Swapped(LoweringContext c, Term x)
    {
        var shape = c.Node.Inputs[0]!.Shape!;
        var half = shape[shape.Rank - 1].Value!.Value / 2;
        var halves = c.G.Split(x, -1, half, half);
        return c.G.Term(c.G.Concat(-1, halves[1], halves[0]));
    }

    private static void Run(KernelCall call, bool isGradient)
    {
        var dims = call.Dims(0);
        var work = new Work
        {
            X = call.Input<float>(0),
            Cos = Table.Of(call.Input<float>(1), call.Dims(1), dims),
            Sin = Table.Of(call.Input<float>(2), call.Dims(2), dims),
            Y = call.Output(0, dims),
            Rows = dims[^2],
            Half = call.RowLength(0) / 2,
            IsGradient = isGradient,
        };
        call.Share(in work, &Turn, KernelShapes.Count(dims.AsSpan()[..^2]));
    }

    /// <summary>A piece is all rows of the last two axes.</summary>
    private static void Turn(in Work work, long piece)
    {
        var half = work.Half;
        float* cos = work.Cos.Rows(piece), sin = work.Sin.Rows(piece);
        var place = piece * work.Rows * 2 * half;
        for (var row = 0L; row < work.Rows; row++)
        {
            // On the way back, each half brings its own sines along.
            if (work.IsGradient)
                Turn(work.X + place, work.Y + place, half, cos, sin + half, sin);
            else
                Turn(work.X + place, work.Y + place, half, cos, sin, sin + half);
            place += 2 * half;
            cos += work.Cos.OfRow;
            sin += work.Sin.OfRow;
        }
    }

    /// <summary>y₁ = x₁∘cos₁ + x₂∘sin₁ and y₂ = x₂∘cos₂ + x₁∘sin₂.</summary>
    private static void Turn(float* x, float* y, int half, float* cos, float* sin1, float* sin2)
    {
        var i = 0;
        for (; i <= half - Vector512<float>.Count; i += Vector512<float>.Count)
        {
            var (x1, x2) = (Vector512.Load(x + i), Vector512.Load(x + half + i));
            ((x1 * Vector512.Load(cos + i)) + (x2 * Vector512.Load(sin1 + i))).Store(y + i);
            ((x2 * Vector512.Load(cos + half + i)) + (x1 * Vector512.Load(sin2 + i))).Store(y + half + i);
        }

        for (; i < half; i++)
        {
            var (x1, x2) = (x[i], x[half + i]);
            y[i] = (x1 * cos[i]) + (x2 * sin1[i]);
            y[half + i] = (x2 * cos[half + i]) + (x1 * sin2[i]);
        }
    }

    /// <summary>Cosines or sines; a stride of 0 repeats them along an axis of length 1.</summary>
    private struct Table
    {
        private const int MostAxes = 8;

        /// <summary>How far rows are apart.</summary>
        public long OfRow;

        private float* _start;
        private int _axes;
        private fixed long _lengths[MostAxes];
        private fixed long _strides[MostAxes];

        public static Table Of(float* start, long[] dims, long[] of)
        {
            if (dims.Length < 1 || dims.Length > of.Length || of.Length is < 2 or > MostAxes || of[^1] % 2 != 0
                || dims[^1] != of[^1] || dims.Zip(of[^dims.Length..]).Any(static p => p.First != p.Second && p.First != 1))
                throw new ArgumentException(
                    $"a table of [{string.Join(", ", dims)}] does not fit [{string.Join(", ", of)}].");
            var table = new Table { _start = start, _axes = of.Length - 2 };
            var stride = dims[^1];
            for (var axis = of.Length - 2; axis >= 0; axis--)
            {
                var length = axis - of.Length + dims.Length is var own and >= 0 ? dims[own] : 1;
                var step = length == 1 ? 0 : stride;
                if (axis == of.Length - 2)
                    table.OfRow = step;
                else
                    (table._lengths[axis], table._strides[axis]) = (of[axis], step);
                stride *= length;
            }

            return table;
        }

        /// <summary>The rows of a piece, which is one of all axes but the last two.</summary>
        public readonly float* Rows(long piece)
        {
            var place = 0L;
            for (var axis = _axes - 1; axis >= 0; axis--)
            {
                (piece, var index) = Math.DivRem(piece, _lengths[axis]);
                place += index * _strides[axis];
            }

            return _start + place;
        }
    }

    private struct Work
    {
        public float* X, Y;
        public Table Cos, Sin;
        public long Rows;
        public int Half;
        public bool IsGradient;
    }
}
