namespace OrtPeft.Onnx.Shapes.Rules;

/// <summary>Operators that read or write elements at places given by an index tensor.</summary>
internal static class IndexingRules
{
    public static IEnumerable<ShapeRow> Rows =>
    [
        new("Gather", 2, 2, Gather) { Integers = [1] },
        new("GatherElements", 2, 2, static c => c.Set(0, c.TypeOf(0), c.ShapeOf(1))) { Integers = [1] },
        new("GatherND", 2, 2, GatherND) { Integers = [1] },
        new("Scatter", 3, 3, Scatter) { Integers = [1] },
        new("ScatterElements", 3, 3, Scatter) { Integers = [1] },
        new("ScatterND", 3, 3, Scatter) { Integers = [1] },
        new("TensorScatter", 2, 3, ElementwiseRules.Like) { Integers = [2] },
    ];

    private static void Gather(ShapeContext c)
    {
        var (input, indices) = (c.ShapeOf(0), c.ShapeOf(1));
        if (input is null || indices is null)
        {
            c.Set(0, c.TypeOf(0), null);
            return;
        }

        var axis = c.Axis(c.Attributes.Int("axis", 0), input.Rank);
        c.Set(0, c.TypeOf(0), Shape.Create([.. input.Take(axis), .. indices, .. input.Skip(axis + 1)]));
        if (input.Rank == 1 && c.DataOf(0) is { } data && c.DataOf(1) is { } places)
            c.SetData([.. places.Select(p => Element(c, data, p?.Constant))]);
    }

    private static SymbolicInteger? Element(ShapeContext c, IReadOnlyList<SymbolicInteger?> data, long? place)
    {
        if (place is not { } index)
            return null;
        if (index < -data.Count || index >= data.Count)
            throw c.Error($"index {index} lies outside of {data.Count} elements");
        return data[(int)(index < 0 ? index + data.Count : index)];
    }

    /// <summary>indices[..., k] name k axes after the batch axes; what they name is put in their place.</summary>
    private static void GatherND(ShapeContext c)
    {
        var batch = c.Attributes.Int("batch_dims", 0);
        Shape? result = null;
        if (c.ShapeOf(0) is { } input && c.ShapeOf(1) is { Rank: > 0 } indices
            && indices[indices.Rank - 1].Value is { } named)
        {
            if (batch < 0 || named + batch > input.Rank)
                throw c.Error($"indices name {named} axes after {batch} of rank {input.Rank}");
            result = Shape.Create([.. indices.SkipLast(1), .. input.Skip((int)(batch + named))]);
        }

        c.Set(0, c.TypeOf(0), result);
    }

    private static void Scatter(ShapeContext c) => c.Set(0, c.SameType(0, 2), c.ShapeOf(0));
}
