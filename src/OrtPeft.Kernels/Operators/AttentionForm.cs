using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Tensors;

namespace OrtPeft.Kernels.Operators;

/// <summary>Attention in standard operators: two products with a masked softmax between them, and a constant factor at
/// the scores, the queries or the keys.</summary>
/// <param name="Q">[batch, heads, queries, d], or [batch, groups, heads of each, queries, d].</param>
/// <param name="K">[batch, heads or groups, keys, d].</param>
/// <param name="V">[batch, heads or groups, keys, d].</param>
/// <param name="Scale">What scores are multiplied with.</param>
/// <param name="Scores">The mask.</param>
/// <param name="Product">The node that makes the result, of the queries' shape.</param>
internal sealed record AttentionForm(
    Value Q, Value K, Value V, double Scale, MaskedScores Scores, Node Product)
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
                : form.Raised(context, form.Q, context.Masks.Of(form.Scores));
            if (result is not null)
                Replacement.Put(context.G, form.Product, result);
        }
    }

    private Value? RaisedGrouped(RaisingContext context)
    {
        var g = context.G;
        var (given, _) = context.Masks.Of(Scores);
        return GroupedHeads.MaskOnFour(g, given) is { } mask
            && Raised(context, GroupedHeads.Together(g, Q), (mask, null)) is { } result
                ? GroupedHeads.Apart(g, result, Q)
                : null;
    }

    private Value? Raised(RaisingContext context, Value q, (Value Mask, Value? Seen) mask) =>
        context.Apply(
            Attention.Forward, [q, K, V, context.G.ScalarLike(q, Scale), mask.Mask, mask.Seen])?[0];

    /// <summary>The attention around a softmax, or null.</summary>
    public static AttentionForm? Of(Node softmax, RaisingContext context)
    {
        if (!NormForm.IsOfLastAxis(softmax) || softmax.Output is not { IsGraphOutput: false, Uses: [var use] }
            || !use.Node.Is("MatMul") || use.Index != 0 || OnFourAxes(use.Node.Inputs[1]!) is not { } v
            || MaskedScores.Of(softmax.Inputs[0]!) is not { } scores
            || scores.Masks.Any(context.Differentiated.Contains))
            return null;
        var (s, factor) = Unscaled(scores.S);
        if (s is not { IsGraphOutput: false, Uses.Count: 1, Producer: { } product } || !product.Is("MatMul"))
            return null;
        var (q, ofQ) = Unscaled(product.Inputs[0]!);
        if (OnFourAxes(product.Inputs[1]!) is not { } keys)
            return null;
        var (turned, ofTurned) = Unscaled(keys);
        if (turned.Producer is not { } transpose || !transpose.Is("Transpose")
            || transpose.Attributes.Ints("perm") is not [0, 1, 3, 2])
            return null;
        var (k, ofK) = Unscaled(transpose.Inputs[0]!);
        return AreOfOneForm(q, k, v)
            ? new AttentionForm(q, k, v, factor * ofQ * ofTurned * ofK, scores, use.Node)
            : null;
    }

    /// <summary>Keys whose heads one node puts in front and turns for the product take two nodes, of which the first
    /// does what those of queries and values do.</summary>
    public static void TurnKeysApart(RaisingContext context)
    {
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
        && ofQ[1].Value is { } heads && ofK[1].Value == heads && v.Shape[1].Value == heads
        && (ofQ.Rank == Axes || ofQ[2].Value is > 0)
        && ofQ[ofQ.Rank - 1].Value is { } d && ofK[3].Value == d && v.Shape[3].Value == d;

    /// <summary>What a value is the constant multiple of, and the factor.</summary>
    private static (Value X, double Factor) Unscaled(Value value)
    {
        if (value is not { IsGraphOutput: false, Uses.Count: 1, Producer: { } node })
            return (value, 1);
        if (node.Is("Div") && Number(node.Inputs[1]!) is { } divisor)
            return (node.Inputs[0]!, 1 / divisor);
        if (!node.Is("Mul"))
            return (value, 1);
        return Number(node.Inputs[1]!) is { } second ? (node.Inputs[0]!, second)
            : Number(node.Inputs[0]!) is { } first ? (node.Inputs[1]!, first)
            : (value, 1);
    }

    private static double? Number(Value value) =>
        value is { Constant: { Count: 1 } number, Shape.Rank: <= 1 } && number.Type.IsFloating()
            ? number.Type is ElementType.Double ? number.Span<double>()[0] : number.ToFloat32()[0]
            : null;
}
