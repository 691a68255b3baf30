namespace OrtPeft.Onnx.Shapes.Rules;

/// <summary>ONNX's multidirectional broadcasting of symbolic shapes.</summary>
/// <seealso href="https://github.com/onnx/onnx/blob/main/docs/Broadcasting.md"/>
internal static class Broadcasting
{
    public static Shape? Of(ShapeContext context, params IEnumerable<int> inputs) =>
        Of(context, inputs.Select(context.ShapeOf).ToArray());

    public static Shape? Of(ShapeContext context, Shape?[] shapes)
    {
        var result = Shape.Scalar;
        foreach (var shape in shapes)
            result = Of(context, result, shape);
        return result;
    }

    public static Shape? Of(ShapeContext context, Shape? a, Shape? b)
    {
        if (a is null || b is null)
            return null;
        var dims = new Dim[Math.Max(a.Rank, b.Rank)];
        for (var i = 1; i <= dims.Length; i++)
        {
            var (x, y) = (FromEnd(a, i), FromEnd(b, i));
            dims[^i] = Of(x, y) ?? throw context.Error($"{a} and {b} cannot be broadcast: {x} against {y}");
        }

        return Shape.Create(dims);
    }

    /// <summary>
    /// One axis: 1 gives way; a length that cannot be 1 wins, for the other is then 1 or the same. Two different
    /// symbols are unknown, since either may be 1. Null when both are fixed and do not fit.
    /// </summary>
    private static Dim? Of(Dim a, Dim b)
    {
        if (a.SurelyEquals(b) || b.Value == 1)
            return a;
        if (a.Value == 1)
            return b;
        if (a.Value is not null && b.Value is not null)
            return null;
        if (IsNeverOne(a))
            return a;
        return IsNeverOne(b) ? b : Dim.Unknown;
    }

    private static Dim FromEnd(Shape shape, int index) => index <= shape.Rank ? shape[shape.Rank - index] : 1;

    private static bool IsNeverOne(Dim dim) => dim.Value is not null || dim.Expression?.LowerBound >= 2;
}
