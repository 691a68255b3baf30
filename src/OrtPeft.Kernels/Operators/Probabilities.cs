using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Kernels.Operators;

/// <summary>Attention's probabilities in standard operators: the softmax of masked scores; what exporters put after it
/// against scores of which −∞ hides all, <c>Where(IsNaN(P), 0, P)</c>; and sinks, a score more for each head, whose
/// probability is cut off.</summary>
/// <param name="Scores">The scores and their mask.</param>
/// <param name="Last">The node that makes P.</param>
/// <param name="IsGuarded">Whether 0 stands in the place of what is not a number.</param>
/// <param name="Sinks">[1, heads, 1, 1], or null.</param>
internal sealed record Probabilities(MaskedScores Scores, Node Last, bool IsGuarded, Value? Sinks)
{
    private const int Axes = 4;

    /// <summary>The probabilities that a softmax makes, taken apart; null where it works along another axis, or mask or
    /// sinks are differentiated.</summary>
    public static Probabilities? Of(Node softmax, RaisingContext context)
    {
        if (!NormForm.IsOfLastAxis(softmax) || FormOf(softmax, context.G.Shapes) is not { } form
            || form.Scores.Masks.Any(context.Differentiated.Contains)
            || (form.Sinks is { } sinks && context.Differentiated.Contains(sinks)))
            return null;
        return form;
    }

    /// <summary>The operators' input for a guard.</summary>
    public Value? Guard(GraphBuilder g) => IsGuarded ? g.ScalarLike(Scores.S, 0) : null;

    /// <summary>The operators' input for sinks, [heads].</summary>
    public Value? SinksOf(GraphBuilder g) =>
        Sinks is { } sinks ? g.Reshape(sinks, sinks.Shape![1].Value!.Value) : null;

    private static Probabilities? FormOf(Node softmax, ShapeInference shapes)
    {
        if (MaskedScores.Of(softmax.Inputs[0]!) is { } scores)
        {
            var guard = GuardOf(softmax);
            return new Probabilities(scores, guard ?? softmax, guard is not null, null);
        }

        var all = Unshifted(softmax.Inputs[0]!);
        return all.Producer is { } concat && concat.Is("Concat") && concat.Inputs is [{ } masked, { } column]
            && concat.Attributes.Int("axis", 0) is -1 or Axes - 1 && MaskedScores.Of(masked) is { } before
            && SinksIn(column, before.S) is { } sinks && CutOf(softmax, shapes) is { } cut
                ? new Probabilities(before, cut, false, sinks)
                : null;
    }

    /// <summary>The x of x − max(x), whose softmax is the same.</summary>
    private static Value Unshifted(Value x) =>
        x.Producer is { } sub && sub.Is("Sub") && sub.Inputs[0] is { } source && sub.Inputs[1]!.Producer is { } max
        && max.Is("ReduceMax") && max.Inputs[0] == source && max.Output.Shape is { Rank: Axes } one
        && source.Shape is { Rank: Axes } of && one[3].Value == 1 && of.Take(3).Zip(one).All(static p => p.First == p.Second)
            ? source
            : x;

    /// <summary>The [1, heads, 1, 1] that are expanded to a column of scores, [batch, heads, queries, 1].</summary>
    private static Value? SinksIn(Value column, Value scores) =>
        column is { Shape: { Rank: Axes } shape, Producer: { } expand } && expand.Is("Expand")
        && expand.Inputs[0] is { Shape: { Rank: Axes } own } sinks && sinks.Type == scores.Type
        && own[0].Value == 1 && own[1].Value is { } heads && own[2].Value == 1 && own[3].Value == 1
        && shape[1].Value == heads && shape[3].Value == 1 && scores.Shape is { Rank: Axes } of && of[1].Value == heads
            ? sinks
            : null;

    /// <summary>The node that cuts the last column off, if nothing else reads the softmax.</summary>
    private static Node? CutOf(Node softmax, ShapeInference shapes)
    {
        if (softmax.Output is not { IsGraphOutput: false, Uses: [{ Node: var slice, Index: 0 }] } || !slice.Is("Slice")
            || slice.Output.Shape is not { Rank: Axes } || softmax.Output.Shape is not { Rank: Axes } of)
            return null;
        var isCut = Number(1) == 0 && Number(3) is -1 or Axes - 1 && (slice.Input(4) is null || Number(4) == 1)
            && (Number(2) == -1 || slice.Output.Shape[3].SurelyEquals(Dim.Of(of[3].Expression! - SymbolicInteger.Of(1))));
        return isCut ? slice : null;

        long? Number(int input) => ScalarConstant.Integer(slice, input, shapes);
    }

    private static Node? GuardOf(Node softmax)
    {
        if (softmax.Output is not { IsGraphOutput: false, Uses.Count: 2 } p)
            return null;
        var where = p.Uses.Select(static u => u.Node).FirstOrDefault(static n => n.Is("Where"));
        return where?.Inputs[2] == p && where.Inputs[0] is { Producer: { } test, IsGraphOutput: false, Uses: [_] }
            && test.Is("IsNaN") && test.Inputs[0] == p && IsZero(where.Inputs[1]!)
            && where.Output.Shape?.Rank == p.Shape?.Rank
                ? where
                : null;
    }

    private static bool IsZero(Value value) =>
        value.Constant is { Count: 1 } number && number.Type.IsFloating() && number.ToFloat32()[0] == 0;
}
