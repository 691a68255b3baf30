namespace OrtPeft.Onnx.Shapes.Rules;

/// <summary>
/// <c>Slice</c>. Bounds given in symbols are taken to lie within their axis, and an axis of symbolic length to have at
/// least one element; ONNX would cut bounds off there, which no polynomial can say.
/// </summary>
internal static class SliceRule
{
    /// <summary>Exporters write "to the end" as the largest int32 or int64, or near it.</summary>
    private const long ToTheEnd = int.MaxValue;

    public static void Apply(ShapeContext c)
    {
        if (c.ShapeOf(0) is not { } shape)
        {
            c.Set(0, c.TypeOf(0), null);
            return;
        }

        var starts = Given(c, "starts", 1);
        var ends = Given(c, "ends", 2);
        var count = starts?.Count ?? ends?.Count ?? 0;
        var axes = Axes(c, count, shape.Rank);
        if (axes is null || (starts is null && ends is null))
        {
            c.Set(0, c.TypeOf(0), axes is null ? ShapeContext.Unknown(shape.Rank) : WithUnknown(c, shape));
            return;
        }

        var steps = c.Has(4) ? c.DataOf(4) : [.. Enumerable.Repeat(SymbolicInteger.Of(1), count)];
        if (axes.Length != count || (ends?.Count ?? count) != count || (steps?.Count ?? count) != count)
            throw c.Error($"starts, ends, axes and steps must be of one length, {count}");
        var dims = shape.ToArray();
        for (var i = 0; i < count; i++)
            dims[axes[i]] = Length(c, shape[axes[i]], starts?[i], ends?[i], steps?[i]?.Constant);
        c.Set(0, c.TypeOf(0), Shape.Create(dims));
        if (shape.Rank == 1 && c.DataOf(0) is { } data)
            c.SetData(count == 0
                ? data
                : Part(data, starts?[0]?.Constant, ends?[0]?.Constant, steps?[0]?.Constant));
    }

    private static IReadOnlyList<SymbolicInteger?>? Given(ShapeContext c, string attribute, int input) =>
        c.Attributes.Ints(attribute)?.Select(SymbolicInteger.Of).ToArray<SymbolicInteger?>() ?? c.DataOf(input);

    private static int[]? Axes(ShapeContext c, int count, int rank)
    {
        if (c.Attributes.Contains("axes") || c.Has(3))
            return c.NumbersOf("axes", 3) is { } given ? c.Axes(given, rank) : null;
        return count <= rank ? [.. Enumerable.Range(0, count)] : throw c.Error($"{count} starts for rank {rank}");
    }

    /// <summary>With bounds of unknown content only the axes that are not named keep their lengths.</summary>
    private static Shape WithUnknown(ShapeContext c, Shape shape)
    {
        var named = c.NumbersOf("axes", 3) is { } axes
            ? c.Axes(axes, shape.Rank)
            : [.. Enumerable.Range(0, shape.Rank)];
        return Shape.Create([.. shape.Select((d, i) => named.Contains(i) ? Dim.Unknown : d)]);
    }

    private static Dim Length(ShapeContext c, Dim axis, SymbolicInteger? start, SymbolicInteger? end, long? step)
    {
        if (step == 0)
            throw c.Error("a step is 0");
        if (step is not { } by)
            return Dim.Unknown;
        if (axis.Value is { } n && start?.Constant is { } from && end?.Constant is { } to)
            return Indices(n, from, to, by).Count;
        if (by == -1 && start?.Constant is -1 or >= ToTheEnd && end?.Constant <= -ToTheEnd)
            return axis;
        if (by != 1 || Place(axis, start) is not { } first || Place(axis, end) is not { } last)
            return Dim.Unknown;
        var length = Dim.Of(IntegerData.Subtract(last, first));
        return length.Value < 0 ? 0 : length;
    }

    /// <summary>
    /// A bound counted from the front, null when unknown or when it may be cut off at the axis' ends.
    /// </summary>
    private static SymbolicInteger? Place(Dim axis, SymbolicInteger? bound) => bound?.Constant switch
    {
        null when IsFromEnd(bound) => IntegerData.Add(axis.Expression, bound),
        null => bound,
        >= ToTheEnd => axis.Expression,
        0 or 1 => bound,
        -1 => IntegerData.Add(axis.Expression, bound),
        { } place when axis.Value is { } n => SymbolicInteger.Of(Math.Clamp(place < 0 ? place + n : place, 0, n)),
        var place when place > 0 && axis.Expression?.LowerBound >= place => bound,
        var place when place < 0 && axis.Expression?.LowerBound + place >= 0 => IntegerData.Add(axis.Expression, bound),
        _ => null,
    };

    private static bool IsFromEnd(SymbolicInteger? bound) =>
        bound is not null && bound.LowerBound is null
        && IntegerData.Subtract(SymbolicInteger.Of(0), bound)?.LowerBound >= 0;

    private static List<SymbolicInteger?>? Part(
        IReadOnlyList<SymbolicInteger?> data, long? start, long? end, long? step) =>
        start is { } from && end is { } to && step is { } by
            ? [.. Indices(data.Count, from, to, by).Of(data)]
            : null;

    private static Range Indices(long length, long start, long end, long step)
    {
        var from = start < 0 ? start + length : start;
        var to = end < 0 ? end + length : end;
        (from, to) = step > 0
            ? (Math.Clamp(from, 0, length), Math.Clamp(to, 0, length))
            : (Math.Clamp(from, -1, length - 1), Math.Clamp(to, -1, length - 1));
        var size = step > 0 ? (Int128)step : -(Int128)step;
        var span = step > 0 ? to - from : from - to;
        return new Range(from, step, span <= 0 ? 0 : (long)((span + size - 1) / size));
    }

    private readonly record struct Range(long Start, long Step, long Count)
    {
        public IEnumerable<SymbolicInteger?> Of(IReadOnlyList<SymbolicInteger?> data)
        {
            for (long i = 0; i < Count; i++)
                yield return data[(int)(Start + (i * Step))];
        }
    }
}
