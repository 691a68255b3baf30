using System.Numerics.Tensors;
using OrtPeft.Autodiff;
using OrtPeft.Kernels.HeadWise;
using OrtPeft.Kernels.Loops;
using OrtPeft.Kernels.Native;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Kernels.Operators;

/// <summary>
/// Attention's probabilities, P = softmax(S∘seen + mask) over keys. The mask is added to the scores, each of its axes
/// full or 1; <c>seen</c>, of ones and zeros, only tells the gradient which scores the mask replaces: beside a lowest
/// number the score itself is lost in rounding. With <c>guard</c>, which is 0, that stands for probabilities that are not
/// a number: those of a query from which −∞ hides every key. With <c>sinks</c>, a score for each head beside those of its
/// keys takes its part of the probability, P = exp(S)/(Σ exp(S) + exp(sink)).
/// </summary>
/// <seealso href="https://arxiv.org/abs/2309.17453">Xiao et al., attention sinks; as learned numbers, gpt-oss.</seealso>
public static unsafe class MaskedSoftmax
{
    /// <summary>Memory for the key ranges found in a mask; kept, since the next layer needs as much.</summary>
    [ThreadStatic]
    private static KeyRange[]? _keptOfMask;

    /// <summary>The operator.</summary>
    public static FusedOp Forward { get; } = new()
    {
        Name = "MaskedSoftmax",
        Signature = OpSignature.Parse("S[b, h, q, k], mask[**], seen?[**], guard?[], sinks?[h] → P[b, h, q, k]"),
        Raise = RaiseStandard,
        Gradient = Differentiate,
        Lower = static c =>
        {
            var p = c.Node.Input(4) is { } sinks
                ? WithSinks(c.X(0) + c.X(1), c.G.Term(c.G.Unsqueeze(sinks, 1, 2)))
                : Softmax(c.X(0) + c.X(1), -1);
            return [c.Node.Input(3) is { } guard ? c.G.Where(c.G.Op("IsNaN", p), guard, p) : p];
        },
        Run = RunForward,
        RunsInPlace = true,
    };

    /// <summary>dS = P∘(dP − Σ dP∘P)∘seen.</summary>
    public static FusedOp Backward { get; } = new()
    {
        Name = "MaskedSoftmaxGrad",
        Signature = OpSignature.Parse("dP[b, h, q, k], P[b, h, q, k], seen?[**] → dS[b, h, q, k]"),
        Lower = static c =>
        {
            var (p, weighted) = (c.X(1), c.X(0) * c.X(1));
            var dS = weighted - p * Sum(weighted, [-1]);
            return [c.Node.Input(2) is { } seen ? dS * seen : dS];
        },
        Run = RunBackward,
        RunsInPlace = true,
    };

    /// <summary>The formula with sinks of [h, 1, 1].</summary>
    private static Term WithSinks(Term scores, Term sinks)
    {
        var g = scores.Builder;
        var max = g.Term(g.Op("Max", g.Op("ReduceMax", scores, g.Int64(-1)), sinks));
        var e = Exp(scores - max);
        return e / (Sum(e, [-1]) + Exp(sinks - max));
    }

    private static IReadOnlyList<Value?> Differentiate(RuleContext c) =>
        c.PadToInputs(Backward.Apply(c.G, [c.DY, c.Y, c.Node.Input(2)])[0]);

    private static void RaiseStandard(RaisingContext context)
    {
        foreach (var node in context.Nodes("Softmax"))
        {
            if (Probabilities.Of(node, context) is { Last.Output.Shape.Rank: 4 } form)
            {
                context.Before(node);
                var (mask, seen) = context.Masks.Of(form.Scores);
                var (guard, sinks) = (form.Guard(context.G), form.SinksOf(context.G));
                context.Put(Forward, form.Last, form.Scores.S, mask, seen, guard, sinks);
            }
        }
    }

    private static void RunForward(KernelCall call)
    {
        var dims = call.Dims(0);
        var mask = ScoreMask.Of(call.Input<float>(1), call.Dims(1), dims);
        mask.Look(call, 0, ref _keptOfMask);
        var work = new Work
        {
            S = call.Input<float>(0),
            Y = call.Output(0, dims),
            Mask = mask,
            Queries = dims[2],
            IsGuarded = call.Has(3),
            Sinks = call.OptionalInput(4),
            Heads = dims[1],
        };
        call.Share(in work, &ForwardHead, dims[0] * dims[1]);
    }

    private static void RunBackward(KernelCall call)
    {
        var (dims, one) = (call.Dims(0), 1f);
        var seen = call.Has(2)
            ? ScoreMask.Of(call.Input<float>(2), call.Dims(2), dims)
            : ScoreMask.Of(&one, [], dims);
        var work = new Work
        {
            S = call.Input<float>(0),
            P = call.Input<float>(1),
            Y = call.Output(0, dims),
            Mask = seen,
            Queries = dims[2],
        };
        call.Share(in work, &BackwardHead, dims[0] * dims[1]);
    }

    private static void ForwardHead(in Work work, long piece)
    {
        ref readonly var mask = ref work.Mask;
        var n = mask.Keys;
        var sink = work.Sinks == null ? float.NegativeInfinity : work.Sinks[piece % work.Heads];
        for (var query = 0L; query < work.Queries; query++)
        {
            var place = ((piece * work.Queries) + query) * n;
            var ofMask = mask.RowOf(piece, query);
            var seen = mask.Seen(ofMask).End;
            var p = work.Y + place;
            var max = VectorLoops.AddMax(work.S + place, mask.Row(ofMask), mask.IsSameForAllKeys, p, seen);
            var row = new Span<float>(p, n);
            max = Math.Max(max, sink);
            var sum = VectorLoops.ExpSum(p, max, p, seen);
            if (work.Sinks != null)
                sum += MathF.Exp(sink - max);
            TensorPrimitives.Multiply(row[..seen], 1 / sum, row);
            row[(work.IsGuarded && float.IsNaN(sum) ? 0 : seen)..].Clear();
        }
    }

    private static void BackwardHead(in Work work, long piece)
    {
        ref readonly var seen = ref work.Mask;
        var n = seen.Keys;
        for (var query = 0L; query < work.Queries; query++)
        {
            var place = ((piece * work.Queries) + query) * n;
            var dS = new Span<float>(work.Y + place, n);
            if (work.Y != work.S)
                new ReadOnlySpan<float>(work.S + place, n).CopyTo(dS);
            var p = work.P + place;
            var shift = TensorPrimitives.Dot(dS, new ReadOnlySpan<float>(p, n));
            var factors = seen.Row(seen.RowOf(piece, query));
            VectorLoops.ShiftMultiply(work.Y + place, shift, p, factors, seen.IsSameForAllKeys, n);
        }
    }

    /// <summary>A piece is one head of one row of the batch.</summary>
    private struct Work
    {
        public float* S, P, Y, Sinks;
        public ScoreMask Mask;
        public long Queries, Heads;
        public bool IsGuarded;
    }
}
