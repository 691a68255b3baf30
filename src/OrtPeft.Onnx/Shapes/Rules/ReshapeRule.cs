namespace OrtPeft.Onnx.Shapes.Rules;

/// <summary><c>Reshape</c>: 0 keeps an axis unless <c>allowzero</c>, −1 takes what the others leave.</summary>
internal static class ReshapeRule
{
    public static void Apply(ShapeContext c)
    {
        c.Set(0, c.TypeOf(0), Result(c));
        c.SetData(c.DataOf(0));
    }

    private static Shape? Result(ShapeContext c)
    {
        var target = c.Attributes.Ints("shape")?.Select(SymbolicInteger.Of).ToArray<SymbolicInteger?>() ?? c.DataOf(1);
        if (target is null)
            return c.AxesIn(1);
        var input = c.ShapeOf(0);
        var keepsZero = c.Attributes.Int("allowzero", 0) == 0;
        var dims = target.Select((t, i) => Length(c, t, i, input, keepsZero)).ToArray();
        int[] rest = [.. Enumerable.Range(0, target.Count).Where(i => target[i]?.Constant == -1)];
        if (rest.Length > 1)
            throw c.Error("two lengths are −1");
        if (rest is [var free] && input is not null)
        {
            var kept = Kept(target, keepsZero);
            var others = dims.Where((_, i) => i != free && !kept.Contains(i));
            dims[free] = Rest(c, input.Where((_, i) => !kept.Contains(i)), others);
        }
        else if (rest.Length == 0 && input?.Product().Value is { } before && dims.Product().Value is { } after)
            CheckCount(c, before, after);
        return Shape.Create(dims);
    }

    private static HashSet<int> Kept(IReadOnlyList<SymbolicInteger?> target, bool keepsZero) =>
        keepsZero ? [.. Enumerable.Range(0, target.Count).Where(i => target[i]?.Constant == 0)] : [];

    private static void CheckCount(ShapeContext c, long before, long after)
    {
        if (before != after)
            throw c.Error($"{before} elements do not make {after}");
    }

    private static Dim Length(ShapeContext c, SymbolicInteger? target, int axis, Shape? input, bool keepsZero)
    {
        if (target?.Constant < -1)
            throw c.Error($"the length {target} is negative");
        if (target?.Constant == -1)
            return Dim.Unknown;
        if (target?.Constant != 0 || !keepsZero)
            return Dim.Of(target);
        if (input is null)
            return Dim.Unknown;
        return axis < input.Rank ? input[axis] : throw c.Error($"length {axis} is 0, but the rank is {input.Rank}");
    }

    /// <summary>The length that is left of the input once lengths that both sides share are struck out.</summary>
    private static Dim Rest(ShapeContext c, IEnumerable<Dim> input, IEnumerable<Dim> others)
    {
        var numerator = input.ToList();
        var denominator = new List<Dim>();
        foreach (var dim in others)
        {
            if (!dim.IsKnown || !numerator.Remove(dim))
                denominator.Add(dim);
        }

        var (above, below) = (numerator.Product(), denominator.Product());
        if (above.Value is { } a && below.Value is { } b && (b == 0 || a % b != 0))
            return b == 0 ? Dim.Unknown : throw c.Error($"{a} elements cannot be divided into parts of {b}");
        return above.Over(below);
    }
}
