using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Shapes;

namespace OrtPeft.Kernels.Operators;

/// <summary>Attention in standard operators: two products with a masked softmax between them, and a constant factor at
/// the scores, the queries or the keys.</summary>
/// <param name="Q">[batch, heads, queries, d], or [batch, groups, heads of each, queries, d].</param>
/// <param name="K">[batch, heads or groups, keys, d].</param>
/// <param name="V">[batch, heads or groups, keys, d].</param>
/// <param name="Scale">What scores are multiplied with.</param>
/// <param name="SoftCap">c where c·tanh(scores/c) is masked, or null.</param>
/// <param name="P">The probabilities and the mask.</param>
/// <param name="Product">The node that makes the result, of the queries' shape.</param>
internal sealed record AttentionForm(
    Value Q, Value K, Value V, double Scale, double? SoftCap, Probabilities P, Node Product)
{
    private const int Axes = 4;

    /// <summary>Puts one node in the place of all of a form's.</summary>
    public static void Raise(RaisingContext context)
    {
        foreach (var softmax in context.Nodes("Softmax"))
        {
            if (Of(softmax, context) is not { } form)
                continue;
            context.Before(form.Product);
            var result = form.Q.Shape!.Rank == GroupedHeads.Axes
                ? form.RaisedGrouped(context)
                : form.Raised(context, form.Q, context.Masks.Of(form.P.Scores));
            if (result is not null)
                Replacement.Put(context.G, form.Product, result);
        }
    }

    private Value? RaisedGrouped(RaisingContext context)
    {
        var g = context.G;
        var (given, _) = context.Masks.Of(P.Scores);
        return GroupedHeads.MaskOnFour(g, given) is { } mask
            && Raised(context, GroupedHeads.Together(g, Q), (mask, null)) is { } result
                ? GroupedHeads.Apart(g, result, Q)
                : null;
    }

    private Value? Raised(RaisingContext context, Value q, (Value Mask, Value? Seen) mask) =>
        context.Apply(
            Attention.Forward,
            [
                q, K, V, context.G.ScalarLike(q, Scale), mask.Mask, mask.Seen, P.Guard(context.G),
                SoftCap is { } cap ? context.G.ScalarLike(q, cap) : null, P.SinksOf(context.G),
            ])?[0];

    /// <summary>The attention around a softmax, or null.</summary>
    public static AttentionForm? Of(Node softmax, RaisingContext context)
    {
        if (Probabilities.Of(softmax, context) is not { } p
            || p.Last.Output is not { IsGraphOutput: false, Uses: [var use] }
            || !use.Node.Is("MatMul") || use.Index != 0 || OnFourAxes(use.Node.Inputs[1]!) is not { } v)
            return null;
        var shapes = context.G.Shapes;
        var (s, factor) = Unscaled(p.Scores.S, shapes);
        double? cap = null;
        if (s is { IsGraphOutput: false, Uses.Count: 1, Producer: { } tanh } && tanh.Is("Tanh") && factor > 0)
        {
            // c·tanh(f·x) is c·tanh(f·c·x/c).
            cap = factor;
            (s, var within) = Unscaled(tanh.Inputs[0]!, shapes);
            factor *= within;
            (s, within) = Unscaled(s, shapes);
            factor *= within;
        }

        if (s is not { IsGraphOutput: false, Uses.Count: 1, Producer: { } product } || !product.Is("MatMul"))
            return null;
        var (q, ofQ) = Unscaled(product.Inputs[0]!, shapes);
        if (OnFourAxes(product.Inputs[1]!) is not { } keys)
            return null;
        var (turned, ofTurned) = Unscaled(keys, shapes);
        if (turned.Producer is not { } transpose || !transpose.Is("Transpose")
            || transpose.Attributes.Ints("perm") is not [0, 1, 3, 2])
            return null;
        var (k, ofK) = Unscaled(transpose.Inputs[0]!, shapes);
        // Heads that serve several of the queries' need not be repeated for that.
        if (q.Shape?.Rank == Axes && GroupedHeads.Unrepeated(k) is var groups
            && GroupedHeads.Unrepeated(v) is { Shape: { } ofV } valueGroups && groups.Shape?[1].Value == ofV[1].Value)
            (k, v) = (groups, valueGroups);
        return AreOfOneForm(q, k, v)
            ? new AttentionForm(q, k, v, factor * ofQ * ofTurned * ofK, cap, p, use.Node)
            : null;
    }

    /// <summary>Keys whose heads one node puts in front and turns for the product take two nodes, of which the first
    /// does what those of queries and values do; those that are turned on three axes are turned on four.</summary>
    public static void TurnKeysApart(RaisingContext context)
    {
        foreach (var node in context.Nodes("Reshape"))
        {
            if (TurnedOnThree(node) is not { } x)
                continue;
            context.Before(node);
            Replacement.Put(context.G, node, context.G.Transpose(x, 0, 1, 3, 2));
        }

        foreach (var node in context.Nodes("Transpose"))
        {
            if (node.Attributes.Ints("perm") is not [0, 2, 3, 1] || node.Inputs[0]!.Shape is not { Rank: Axes }
                || node.Output.IsGraphOutput || !node.Output.Uses.All(static u => u.Node.Is("MatMul") && u.Index == 1))
                continue;
            context.Before(node);
            var keys = context.G.Transpose(node.Inputs[0]!, 0, 2, 1, 3);
            Replacement.Put(context.G, node, context.G.Transpose(keys, 0, 1, 3, 2));
        }
    }

    /// <summary>[batch, heads, keys, d] that three nodes make [batch, heads, d, keys] of: batch and heads become one
    /// axis, and two again.</summary>
    private static Value? TurnedOnThree(Node last) =>
        last.Output.Shape is { Rank: Axes } y && last.Inputs[0]!.Producer is { } turn && turn.Is("Transpose")
        && turn.Attributes.Ints("perm") is [0, 2, 1] && turn.Inputs[0]!.Producer is { } first && first.Is("Reshape")
        && turn.Inputs[0]!.Shape is { Rank: 3 } three && first.Inputs[0] is { Shape: { Rank: Axes } of } x
        && y[0].SurelyEquals(of[0]) && y[1].SurelyEquals(of[1]) && y[2].SurelyEquals(of[3]) && y[3].SurelyEquals(of[2])
        && three[1].SurelyEquals(of[2]) && three[2].SurelyEquals(of[3])
            ? x
            : null;

    private static Value? OnFourAxes(Value x) => x.Shape?.Rank switch
    {
        Axes => x,
        GroupedHeads.Axes => GroupedHeads.Ungrouped(x),
        _ => null,
    };

    /// <summary>Whether all are of one batch, none broadcast, and have as many heads, or groups of them, of known
    /// widths.</summary>
    private static bool AreOfOneForm(Value q, Value k, Value v) =>
        q is { Initializer: null, Shape: { Rank: Axes or GroupedHeads.Axes } ofQ } && k.Shape is { Rank: Axes } ofK
        && k.Type == q.Type && v.Type == q.Type
        && ofK[0].Value == ofQ[0].Value && v.Shape![0].Value == ofQ[0].Value
        && ofQ[1].Value is { } heads && ofK[1].Value is > 0 and { } groups && v.Shape[1].Value == groups
        && (ofQ.Rank == Axes ? heads % groups == 0 : heads == groups)
        && (ofQ.Rank == Axes || ofQ[2].Value is > 0)
        && ofQ[ofQ.Rank - 1].Value is { } d && ofK[3].Value == d && v.Shape[3].Value == d;

    /// <summary>The value that this one is a constant multiple of, and the factor; this one and 1 where none is
    /// found.</summary>
    private static (Value X, double Factor) Unscaled(Value value, ShapeInference shapes)
    {
        if (value is not { IsGraphOutput: false, Uses.Count: 1, Producer: { } node })
            return (value, 1);
        if (node.Is("Div") && ScalarConstant.Of(node.Inputs[1]!, shapes) is { } divisor)
            return (node.Inputs[0]!, 1 / divisor);
        if (!node.Is("Mul"))
            return (value, 1);
        return ScalarConstant.Of(node.Inputs[1]!, shapes) is { } second ? (node.Inputs[0]!, second)
            : ScalarConstant.Of(node.Inputs[0]!, shapes) is { } first ? (node.Inputs[1]!, first)
            : (value, 1);
    }
}
