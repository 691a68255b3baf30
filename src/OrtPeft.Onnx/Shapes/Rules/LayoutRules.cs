using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Shapes.Rules;

/// <summary>
/// Operators that rearrange or repeat elements without choosing among them, and those that read lengths.
/// </summary>
internal static class LayoutRules
{
    public static IEnumerable<ShapeRow> Rows =>
    [
        new("Shape", 1, 1, Lengths),
        new("Size", 1, 1, Size),
        new("Transpose", 1, 1, Transpose),
        new("Reshape", 1, 2, ReshapeRule.Apply) { Integers = [1] },
        new("Flatten", 1, 1, Flatten),
        new("Squeeze", 1, 2, Squeeze) { Integers = [1] },
        new("Unsqueeze", 1, 2, Unsqueeze) { Integers = [1] },
        new("Expand", 2, 2, Expand) { Integers = [1] },
        new("Tile", 2, 2, Tile) { Integers = [1] },
    ];

    private static void Lengths(ShapeContext c)
    {
        if (c.ShapeOf(0) is not { } shape)
        {
            c.Set(0, ElementType.Int64, [Dim.Unknown]);
            return;
        }

        var start = Bound(c.Attributes.Int("start", 0), shape.Rank);
        var end = Bound(c.Attributes.Int("end", shape.Rank), shape.Rank);
        var part = shape.Take(start..Math.Max(start, end)).Select(static d => d.Expression).ToArray();
        c.Set(0, ElementType.Int64, [part.Length]);
        c.SetData(part);
    }

    private static int Bound(long place, int rank) => (int)Math.Clamp(place < 0 ? place + rank : place, 0, rank);

    private static void Size(ShapeContext c)
    {
        c.Set(0, ElementType.Int64, Shape.Scalar);
        if (c.ShapeOf(0) is { } shape)
            c.SetData([shape.Product().Expression]);
    }

    private static void Transpose(ShapeContext c)
    {
        var shape = c.ShapeOf(0);
        var perm = c.Attributes.Ints("perm");
        if (perm?.Any(static a => a < 0) == true)
            throw c.Error($"perm is [{string.Join(", ", perm)}], which counts an axis from the end");
        var axes = perm is null ? null : c.Axes(perm, shape?.Rank ?? perm.Length);
        if (shape is not null)
        {
            axes ??= [.. Enumerable.Range(0, shape.Rank).Reverse()];
            if (axes.Length != shape.Rank)
                throw c.Error($"perm has {axes.Length} entries for rank {shape.Rank}");
            shape = Shape.Create([.. axes.Select(i => shape[i])]);
        }

        c.Set(0, c.TypeOf(0), shape);
    }

    private static void Flatten(ShapeContext c)
    {
        Shape result = [Dim.Unknown, Dim.Unknown];
        if (c.ShapeOf(0) is { } shape)
        {
            var axis = c.Attributes.Int("axis", 1);
            var split = axis == shape.Rank ? shape.Rank : c.Axis(axis, shape.Rank);
            result = [shape.Take(split).Product(), shape.Skip(split).Product()];
        }

        c.Set(0, c.TypeOf(0), result);
    }

    private static void Squeeze(ShapeContext c)
    {
        var shape = c.ShapeOf(0);
        var given = c.Attributes.Contains("axes") || c.Has(1);
        if (shape is null || (!given && shape.Any(static d => d.Value is null)))
            shape = null;
        else if (!given)
            shape = Shape.Create([.. shape.Where(static d => d.Value != 1)]);
        else
            shape = c.NumbersOf("axes", 1) is { } axes ? Without(c, shape, c.Axes(axes, shape.Rank)) : null;
        c.Set(0, c.TypeOf(0), shape);
        c.SetData(c.DataOf(0));
    }

    private static Shape Without(ShapeContext c, Shape shape, int[] axes)
    {
        foreach (var axis in axes.Where(a => shape[a].Value is not (null or 1)))
            throw c.Error($"axis {axis} has length {shape[axis]}, so it cannot be squeezed away");
        return Shape.Create([.. shape.Where((_, i) => !axes.Contains(i))]);
    }

    private static void Unsqueeze(ShapeContext c)
    {
        var shape = c.ShapeOf(0);
        if (shape is not null && c.NumbersOf("axes", 1) is { } given)
        {
            var rank = shape.Rank + given.Length;
            var axes = c.Axes(given, rank);
            var rest = new Queue<Dim>(shape);
            shape = Shape.Create([.. Enumerable.Range(0, rank).Select(i => axes.Contains(i) ? 1 : rest.Dequeue())]);
        }
        else
        {
            shape = null;
        }

        c.Set(0, c.TypeOf(0), shape);
        c.SetData(c.DataOf(0));
    }

    private static void Expand(ShapeContext c)
    {
        c.Set(0, c.TypeOf(0), Broadcasting.Of(c, c.ShapeOf(0), c.AxesIn(1)));
        if (c.DataOf(0) is [var only] && c.Node.Output.Shape is { Rank: 1 } shape
            && shape[0].Value is { } n and >= 0 and <= IntegerData.MaxElements)
            c.SetData([.. Enumerable.Repeat(only, (int)n)]);
    }

    private static void Tile(ShapeContext c)
    {
        var shape = c.ShapeOf(0);
        if (shape is not null && c.AxesIn(1) is { } repeats)
        {
            if (repeats.Rank != shape.Rank)
                throw c.Error($"{repeats.Rank} repeats for rank {shape.Rank}");
            shape = Shape.Create([.. shape.Zip(repeats, DimArithmetic.Times)]);
        }
        else if (shape is not null)
        {
            shape = ShapeContext.Unknown(shape.Rank);
        }

        c.Set(0, c.TypeOf(0), shape);
    }
}
