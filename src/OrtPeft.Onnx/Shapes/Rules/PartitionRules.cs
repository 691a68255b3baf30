namespace OrtPeft.Onnx.Shapes.Rules;

/// <summary>Operators that join tensors along an axis, cut them up, or widen them.</summary>
internal static class PartitionRules
{
    public static IEnumerable<ShapeRow> Rows =>
    [
        new("Concat", 1, ShapeRow.AnyNumber, Concat) { Attributes = ["axis"] },
        new("Split", 1, 2, Split) { Integers = [1] },
        new("Slice", 1, 5, SliceRule.Apply) { Integers = [1, 2, 3, 4] },
        new("Pad", 1, 4, Pad) { Integers = [1, 3] },
    ];

    private static void Concat(ShapeContext c)
    {
        var inputs = c.AllInputs();
        var type = c.SameType(inputs);
        if (inputs.Select(c.ShapeOf).FirstOrDefault(static s => s is not null) is not { } first)
        {
            c.Set(0, type, null);
            return;
        }

        var axis = c.Axis(c.Attributes.Int("axis", 0), first.Rank);
        var shapes = inputs.Select(i => c.Ranked(i, first.Rank) ?? ShapeContext.Unknown(first.Rank)).ToArray();
        c.Set(0, type, Shape.Create([.. first.Select((_, i) => Joined(c, shapes.Select(s => s[i]), i, axis))]));
        var data = inputs.Select(c.DataOf).ToArray();
        if (data.All(static d => d is not null))
            c.SetData([.. data.SelectMany(static d => d!)]);
        else
            c.SetData(PartlyKnown(data, shapes));
    }

    private static Dim Joined(ShapeContext c, IEnumerable<Dim> dims, int index, int axis) => index == axis
        ? dims.Sum()
        : dims.Aggregate((a, b) => c.Same(a, b, $"the lengths of axis {index}"));

    /// <summary>Parts of unknown content but known length leave their places unknown and the others known.</summary>
    private static SymbolicInteger?[]? PartlyKnown(IReadOnlyList<SymbolicInteger?>?[] data, Shape[] shapes)
    {
        if (shapes[0].Rank != 1 || shapes.Any(static s => s[0].Value is not (>= 0 and <= IntegerData.MaxElements)))
            return null;
        var parts = data.Zip(shapes, static (d, s) => d ?? new SymbolicInteger?[(int)s[0].Value!.Value]);
        return [.. parts.SelectMany(static part => part)];
    }

    private static void Split(ShapeContext c)
    {
        var shape = c.ShapeOf(0);
        var parts = c.Node.Outputs.Count;
        if (c.Attributes.Int("num_outputs", parts) != parts)
            throw c.Error($"num_outputs is {c.Attributes.Int("num_outputs", parts)} with {parts} outputs");
        var axis = shape is null ? 0 : c.Axis(c.Attributes.Int("axis", 0), shape.Rank);
        var lengths = Lengths(c, shape?[axis] ?? Dim.Unknown, parts);
        for (var i = 0; i < parts; i++)
        {
            var length = lengths[i];
            var part = shape?.Select((d, a) => a == axis ? length : d);
            c.Set(i, c.TypeOf(0), part is null ? null : Shape.Create([.. part]));
        }
    }

    private static Dim[] Lengths(ShapeContext c, Dim whole, int parts)
    {
        var given = c.Attributes.Ints("split")?.Select(SymbolicInteger.Of).ToArray<SymbolicInteger?>() ?? c.DataOf(1);
        if (given is null)
            return c.Has(1) ? [.. Enumerable.Repeat(Dim.Unknown, parts)] : Equal(c, whole, parts);
        if (given.Count != parts)
            throw c.Error($"{given.Count} lengths for {parts} outputs");
        Dim[] lengths = [.. given.Select(Dim.Of)];
        c.Same(lengths.Sum(), whole, "the sum of the parts and the axis");
        return lengths;
    }

    /// <summary>Equal parts; from opset 18 on the last one takes less where the axis does not divide.</summary>
    private static Dim[] Equal(ShapeContext c, Dim whole, int parts)
    {
        var mayDiffer = c.Attributes.Contains("num_outputs");
        if (whole.Value is { } n && n % parts != 0 && !mayDiffer)
            throw c.Error($"{n} elements cannot be split into {parts} equal parts");
        if (whole.Value is not { } length)
            return [.. Enumerable.Repeat(mayDiffer ? Dim.Unknown : whole.Over(parts), parts)];
        var part = (length + parts - 1) / parts;
        return [.. Enumerable.Range(0, parts).Select(i => (Dim)Math.Clamp(length - (i * part), 0, part))];
    }

    private static void Pad(ShapeContext c)
    {
        var shape = c.ShapeOf(0);
        if (shape is not null && (Attribute(c) ?? c.DataOf(1)) is { } pads && (!c.Has(3) || c.NumbersOf(3) is not null))
        {
            var axes = c.NumbersOf(3) is { } given ? c.Axes(given, shape.Rank) : [.. Enumerable.Range(0, shape.Rank)];
            if (pads.Count != 2 * axes.Length)
                throw c.Error($"{pads.Count} pads for {axes.Length} axes");
            var dims = shape.ToArray();
            foreach (var (i, axis) in axes.Index())
                dims[axis] = dims[axis].Plus(Dim.Of(pads[i])).Plus(Dim.Of(pads[i + axes.Length]));
            shape = Shape.Create(dims);
        }
        else if (shape is not null)
        {
            shape = ShapeContext.Unknown(shape.Rank);
        }

        c.Set(0, c.TypeOf(0), shape);
    }

    private static SymbolicInteger?[]? Attribute(ShapeContext c) =>
        c.Attributes.Ints("pads")?.Select(SymbolicInteger.Of).ToArray<SymbolicInteger?>();
}
