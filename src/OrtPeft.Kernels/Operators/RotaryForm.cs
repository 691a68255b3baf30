using OrtPeft.Onnx;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Kernels.Operators;

/// <summary>Rotary embedding in standard operators, with X's halves x₁ and x₂: X∘cos + Concat(−x₂, x₁)∘sin, as PyTorch
/// models spell it, X∘cos + Concat(x₂, x₁)∘sin, or Concat(x₁∘cos − x₂∘sin, x₂∘cos + x₁∘sin).</summary>
/// <param name="X">[..., d], of a known even d.</param>
/// <param name="Cos">The cosines, of d or, in the last spelling, d/2 numbers.</param>
/// <param name="Sin">The sines, likewise.</param>
/// <param name="HasSigns">Whether the sines of the first half have the other sign already.</param>
internal sealed record RotaryForm(Value X, Value Cos, Value Sin, bool HasSigns)
{
    /// <summary>Puts one node in the place of all of a form's.</summary>
    public static void Raise(RaisingContext context)
    {
        foreach (var last in context.G.Graph.Nodes.Where(static n => n.Is("Add") || n.Is("Concat")).ToArray())
        {
            var form = last.Is("Add") ? OfSum(last, context.G.Shapes) : OfHalves(last, context.G.Shapes);
            if (form is null || !form.IsWhole(last.Output)
                || context.Differentiated.Contains(form.Cos) || context.Differentiated.Contains(form.Sin))
                continue;
            context.Before(last);
            var (cos, sin) = context.Tables.Of(form);
            context.Put(RotaryEmbedding.Forward, last, form.X, cos, sin);
        }
    }

    /// <summary>Whether the result has X's shape, and the tables fit.</summary>
    private bool IsWhole(Value result) => X is { Shape: { Rank: > 1 } shape, Initializer: null } && X.Type.IsFloating()
        && result.Type == X.Type && SameRows.AreOfOneShape(shape, result.Shape)
        && Cos.Type == X.Type && Sin.Type == X.Type && Cos.Shape!.Rank <= shape.Rank && Sin.Shape!.Rank <= shape.Rank;

    private static RotaryForm? OfSum(Node add, ShapeInference shapes)
    {
        for (var side = 0; side < 2; side++)
        {
            foreach (var (x, cos) in Factors(add.Inputs[side]!))
            {
                foreach (var (other, sin) in Factors(add.Inputs[1 - side]!))
                {
                    if (SwappedOf(other, shapes) is (var source, var isNegated) && source == x
                        && Width(x) is { } d && Width(cos) == d && Width(sin) == d)
                        return new RotaryForm(x, cos, sin, !isNegated);
                }
            }
        }

        return null;
    }

    private static RotaryForm? OfHalves(Node concat, ShapeInference shapes)
    {
        if (Halves(concat) is not var (first, second) || first.Producer is not { } sub || !sub.Is("Sub")
            || second.Producer is not { } add || !add.Is("Add"))
            return null;
        foreach (var (x1, cos) in Factors(sub.Inputs[0]!))
        {
            foreach (var (x2, sin) in Factors(sub.Inputs[1]!))
            {
                if (HalfOf(x1, shapes) is (var x, 0) && HalfOf(x2, shapes) is (var same, 1) && x == same
                    && Width(x) is { } d && 2 * Width(cos) == d && 2 * Width(sin) == d
                    && (AreProducts(add, (x2, cos), (x1, sin)) || AreProducts(add, (x1, sin), (x2, cos))))
                    return new RotaryForm(x, cos, sin, false);
            }
        }

        return null;
    }

    private static bool AreProducts(Node add, (Value, Value) one, (Value, Value) other) =>
        Factors(add.Inputs[0]!).Contains(one) && Factors(add.Inputs[1]!).Contains(other);

    /// <summary>The factors of a product, in both orders; none of anything else.</summary>
    private static (Value A, Value B)[] Factors(Value product) =>
        product is { IsGraphOutput: false, Producer: { } mul } && mul.Is("Mul") && mul.Inputs is [{ } a, { } b]
            ? [(a, b), (b, a)]
            : [];

    /// <summary>The X of Concat(x₂, x₁) or Concat(−x₂, x₁), and whether it is the second.</summary>
    private static (Value X, bool IsNegated)? SwappedOf(Value value, ShapeInference shapes)
    {
        if (value is not { IsGraphOutput: false, Producer: { } concat } || !concat.Is("Concat")
            || Halves(concat) is not var (first, second))
            return null;
        var isNegated = first.Producer is { } neg && neg.Is("Neg");
        return HalfOf(isNegated ? first.Producer!.Inputs[0]! : first, shapes) is (var x, 1)
            && HalfOf(second, shapes) is (var same, 0) && x == same
                ? (x, isNegated)
                : null;
    }

    private static (Value First, Value Second)? Halves(Node concat) =>
        concat.Inputs is [{ } first, { } second] && concat.Output.Shape is { Rank: > 1 } shape
        && IsLast(concat.Attributes.Int("axis", 0), shape)
            ? (first, second)
            : null;

    /// <summary>The value of which this one is a half along the last axis, and which half, 0 or 1; null where it is
    /// none.</summary>
    private static (Value X, int Half)? HalfOf(Value value, ShapeInference shapes)
    {
        if (value.Producer is not { } node || node.Inputs is not [{ Shape: { Rank: > 1 } shape } x, ..]
            || Width(x) is not { } d || 2 * Width(value) != d)
            return null;
        if (node.Is("Split"))
            return IsLast(node.Attributes.Int("axis", 0), shape) && node.Outputs is [var first, _]
                ? (x, value == first ? 0 : 1)
                : null;
        if (!node.Is("Slice") || Number(1) is not { } start || Number(3) is not { } axis || !IsLast(axis, shape)
            || (node.Input(4) is not null && Number(4) != 1))
            return null;
        return start == 0 ? (x, 0) : start == d / 2 || start == -d / 2 ? (x, 1) : null;

        long? Number(int input) => ScalarConstant.Integer(node, input, shapes);
    }

    private static bool IsLast(long axis, Shape shape) => axis == -1 || axis == shape.Rank - 1;

    private static long? Width(Value value) => value.Shape is { Rank: > 0 } shape ? shape[shape.Rank - 1].Value : null;
}
