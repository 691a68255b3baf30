using OrtPeft.Autodiff;
using OrtPeft.Kernels.HeadWise;
using OrtPeft.Kernels.Native;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;

namespace OrtPeft.Kernels.Operators;

/// <summary>
/// <see cref="Attention"/> that reads queries, keys and values where one linear layer has put them, X [batch,
/// positions, 3·heads·d], and writes rows for the next one: heads are not taken apart and put together.
/// </summary>
public static unsafe class SelfAttention
{
    private const string Rows = "[batch, positions, *]";
    private const string Statistics = "max[batch, *, positions], sum[batch, *, positions]";

    /// <summary>The operator.</summary>
    public static FusedOp Forward { get; } = new()
    {
        Name = "SelfAttention",
        Signature = OpSignature.Parse(
            $"X~{Rows}, heads:int64[], scale[], mask[**], seen?[**], guard?[] → O{Rows}, {Statistics}"),
        Raise = RaiseStandard,
        Gradient = Differentiate,
        Lower = LowerForward,
        Run = RunForward,
    };

    /// <summary>The gradient at X.</summary>
    public static FusedOp Backward { get; } = new()
    {
        Name = "SelfAttentionGrad",
        Signature = OpSignature.Parse(
            $"dO{Rows}, X~[batch, positions, width], heads:int64[], scale[], O~{Rows}, {Statistics}, mask[**], seen?[**] "
            + "→ dX[batch, positions, width]"),
        Lower = LowerBackward,
        Run = RunBackward,
    };

    private static IReadOnlyList<Value?> Differentiate(RuleContext c)
    {
        var (o, max, sum) = (c.Node.Outputs[0], c.Node.Outputs[1], c.Node.Outputs[2]);
        return c.PadToInputs(Backward.Apply(
            c.G, [c.DY, c.X(), c.X(1), c.X(2), o, max, sum, c.X(3), c.Node.Input(4)])[0]);
    }

    private static void RaiseStandard(RaisingContext context)
    {
        foreach (var softmax in context.Nodes("Softmax"))
        {
            if (AttentionForm.Of(softmax, context) is not { SoftCap: null, P.Sinks: null } form || HeadsOf(form) is not { } heads
                || HeadsForm.RowsOf(form.Product.Output) is not { } rows)
                continue;
            context.Before(rows);
            var g = context.G;
            var (mask, seen) = context.Masks.Of(form.P.Scores);
            var (count, scale, guard) = (g.Int64Scalar(heads.Heads), g.ScalarLike(form.Q, form.Scale), form.P.Guard(g));
            if (context.Apply(Forward, [heads.Rows, count, scale, mask, seen, guard]) is not { } results)
                continue;
            results[0].Shape = rows.Output.Shape;
            Replacement.Put(g, rows, results[0]);
        }
    }

    /// <summary>The rows that queries, keys and values are all parts of.</summary>
    private static HeadsForm? HeadsOf(AttentionForm form)
    {
        if (form.Q.Producer?.Inputs[0]?.Producer?.Inputs[0]?.Producer is not { } split
            || HeadsForm.Of(split) is not { } heads)
            return null;
        Value[] parts = [form.Q, form.K, form.V];
        return heads.Parts.Zip(parts).All(static p => p.First.Output == p.Second && p.Second.Uses.Count == 1)
            ? heads
            : null;
    }

    private static IReadOnlyList<Value?> LowerForward(LoweringContext c)
    {
        var parts = Parts(c, c.X(0), c.X(1));
        var results = Attention.Forward.Apply(
            c.G, [parts[0], parts[1], parts[2], c.X(2), c.X(3), c.Node.Input(4), c.Node.Input(5)]);
        return [HeadsForm.Together(c.G, results[0]), results[1], results[2]];
    }

    private static IReadOnlyList<Value?> LowerBackward(LoweringContext c)
    {
        var parts = Parts(c, c.X(1), c.X(2));
        var (heads, d) = (parts[0].Shape![1].Value!.Value, parts[0].Shape![3].Value!.Value);
        var (dO, o) = (HeadsForm.Apart(c.G, c.X(0), heads, d), HeadsForm.Apart(c.G, c.X(4), heads, d));
        var gradients = Attention.Backward.Apply(
            c.G, [dO, parts[0], parts[1], parts[2], c.X(3), o, c.X(5), c.X(6), c.X(7), c.Node.Input(8)]);
        return Heads.Merge.Apply(c.G, gradients.ToArray());
    }

    private static IReadOnlyList<Value> Parts(LoweringContext c, Value x, Value heads) => c.Shared("heads", x, heads, () =>
    {
        var parts = Heads.Split.Apply(c.G, [x, heads]);
        var (shape, count) = (x.Shape!, heads.Constant!.ToInt64()[0]);
        foreach (var part in parts)
            part.Shape = [shape[0], count, shape[1], shape[2].Value!.Value / (Heads.Parts * count)];
        return parts;
    });

    private static void RunForward(KernelCall call)
    {
        var dims = call.Dims(0);
        var plan = Plan(call, x: 0);
        dims[2] = plan.Heads * plan.Width;
        plan.O = Result(call.Output(0, dims), in plan);
        plan.IsGuarded = call.Has(5);
        AttentionRuns.Forward(call, plan, mask: 3);
    }

    private static void RunBackward(KernelCall call)
    {
        var dims = call.Dims(1);
        var plan = Plan(call, x: 1);
        long[] rows = [dims[0], dims[1], plan.Heads * plan.Width];
        KernelShapes.RequireEqual(rows, call.Dims(0));
        KernelShapes.RequireEqual(rows, call.Dims(4));
        (plan.DO, plan.O) = (Result(call.Input<float>(0), in plan), Result(call.Input<float>(4), in plan));
        (plan.DQ, plan.DK, plan.DV) = Parts(call.Output(0, dims), in plan);
        AttentionRuns.Backward(call, plan, max: 5);
    }

    private static AttentionPlan Plan(KernelCall call, int x)
    {
        var (dims, heads) = (call.Dims(x), *call.Input<long>(x + 1));
        var plan = new AttentionPlan { Heads = heads, Groups = heads, Scale = *call.Input<float>(x + 2) };
        (plan.Batch, plan.Width) = (dims[0], Heads.WidthOf(dims, heads));
        plan.Queries = plan.Keys = checked((int)dims[1]);
        (plan.Q, plan.K, plan.V) = Parts(call.Input<float>(x), in plan);
        return plan;
    }

    private static AttentionOperand Result(float* rows, in AttentionPlan plan) =>
        AttentionOperand.OfRows(rows, plan.Queries, plan.Heads, plan.Width, parts: 1, part: 0);

    private static (AttentionOperand Q, AttentionOperand K, AttentionOperand V) Parts(
        float* x, in AttentionPlan plan)
    {
        var q = AttentionOperand.OfRows(x, plan.Queries, plan.Heads, plan.Width, Heads.Parts, 0);
        var k = AttentionOperand.OfRows(x, plan.Queries, plan.Heads, plan.Width, Heads.Parts, 1);
        return (q, k, AttentionOperand.OfRows(x, plan.Queries, plan.Heads, plan.Width, Heads.Parts, 2));
    }
}
