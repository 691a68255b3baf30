namespace OrtPeft.Onnx.Shapes.Rules;

/// <summary><c>Einsum</c>: one letter per axis, an ellipsis for axes that broadcast.</summary>
/// <seealso href="https://github.com/onnx/onnx/blob/main/docs/Operators.md#Einsum"/>
internal static class EinsumRule
{
    private const string Ellipsis = "...";

    public static void Apply(ShapeContext c)
    {
        var type = c.SameType(c.AllInputs());
        var equation = c.Attributes.String("equation", "").Replace(" ", "", StringComparison.Ordinal);
        var sides = equation.Split("->");
        var terms = sides[0].Split(',');
        if (terms.Length != c.Node.Inputs.Count)
            throw c.Error($"the equation '{equation}' has {terms.Length} terms for {c.Node.Inputs.Count} inputs");
        var letters = new SortedDictionary<char, Dim>();
        var batch = Shape.Scalar;
        for (var i = 0; i < terms.Length; i++)
            batch = Broadcasting.Of(c, batch, Bind(c, terms[i], i, letters));
        var result = sides.Length > 1 ? sides[1] : Implicit(sides[0]);
        if (batch is null && result.Contains(Ellipsis, StringComparison.Ordinal))
            c.Set(0, type, null);
        else
            c.Set(0, type, Result(c, result, batch ?? Shape.Scalar, letters));
    }

    /// <summary>
    /// Notes the lengths of a term's letters and gives back the axes under its ellipsis; null if unknown.
    /// </summary>
    private static Shape? Bind(ShapeContext c, string term, int input, SortedDictionary<char, Dim> letters)
    {
        var ellipsis = term.IndexOf(Ellipsis, StringComparison.Ordinal);
        var names = term.Replace(Ellipsis, "", StringComparison.Ordinal);
        var shape = c.ShapeOf(input);
        var hidden = shape is null ? 0 : shape.Rank - names.Length;
        if (hidden < 0 || (hidden > 0 && ellipsis < 0))
            throw c.Error($"the term '{term}' does not fit {shape}");
        for (var i = 0; i < names.Length; i++)
        {
            var dim = shape?[ellipsis >= 0 && i >= ellipsis ? i + hidden : i] ?? Dim.Unknown;
            var known = letters.GetValueOrDefault(names[i], Dim.Unknown);
            if (known.Value == 1 || dim.Value == 1)
                letters[names[i]] = known.Value == 1 || !letters.ContainsKey(names[i]) ? dim : known;
            else
                letters[names[i]] = c.Same(known, dim, $"the axes '{names[i]}'");
        }

        if (ellipsis < 0)
            return Shape.Scalar;
        return shape is null ? null : Shape.Create([.. shape.Skip(ellipsis).Take(hidden)]);
    }

    private static string Implicit(string inputs)
    {
        var once = inputs.Where(char.IsLetter).GroupBy(static l => l).Where(static g => g.Count() == 1);
        var letters = string.Concat(once.Select(static g => g.Key).Order());
        return inputs.Contains(Ellipsis, StringComparison.Ordinal) ? Ellipsis + letters : letters;
    }

    private static Shape Result(ShapeContext c, string term, Shape batch, SortedDictionary<char, Dim> letters)
    {
        var ellipsis = term.IndexOf(Ellipsis, StringComparison.Ordinal);
        var dims = term.Replace(Ellipsis, "", StringComparison.Ordinal)
            .Select(l => letters.TryGetValue(l, out var dim) ? dim : throw c.Error($"'{l}' is in no input term"))
            .ToList();
        if (ellipsis >= 0)
            dims.InsertRange(Math.Min(ellipsis, dims.Count), batch);
        return Shape.Create([.. dims]);
    }
}
