using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Shapes.Rules;

/// <summary>
/// Operators that pick elements by their values, so that how many come out is often unknown, and masks.
/// </summary>
internal static class SelectionRules
{
    public static IEnumerable<ShapeRow> Rows =>
    [
        new("NonZero", 1, 1, NonZero),
        new("Compress", 2, 2, Compress),
        new("Unique", 1, 1, Unique),
        new("OneHot", 3, 3, OneHot),
        new("Trilu", 1, 2, ElementwiseRules.Like) { Integers = [1] },
    ];

    private static void NonZero(ShapeContext c) =>
        c.Set(0, ElementType.Int64, [c.ShapeOf(0)?.Rank is { } rank ? rank : Dim.Unknown, Dim.Unknown]);

    private static void Compress(ShapeContext c)
    {
        Shape? result = [Dim.Unknown];
        if (c.Attributes.Contains("axis"))
            result = c.ShapeOf(0) is { } shape ? WithUnknown(c, shape) : null;
        c.Set(0, c.TypeOf(0), result);
    }

    private static Shape WithUnknown(ShapeContext c, Shape shape)
    {
        var axis = c.Axis(c.Attributes.Int("axis", 0), shape.Rank);
        return Shape.Create([.. shape.Select((d, i) => i == axis ? Dim.Unknown : d)]);
    }

    private static void Unique(ShapeContext c)
    {
        Compress(c);
        for (var i = 1; i < c.Node.Outputs.Count; i++)
            c.Set(i, ElementType.Int64, [Dim.Unknown]);
    }

    private static void OneHot(ShapeContext c)
    {
        Shape? result = null;
        if (c.ShapeOf(0) is { } indices)
        {
            var axis = c.Axis(c.Attributes.Int("axis", -1), indices.Rank + 1);
            var depth = c.LengthIn(1);
            result = Shape.Create([.. indices.Take(axis), depth, .. indices.Skip(axis)]);
        }

        c.Set(0, c.TypeOf(2), result);
    }
}
