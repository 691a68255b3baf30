namespace OrtPeft.Onnx.Shapes.Rules;

/// <summary>Sums, products and quotients of lengths; unknown where a part is.</summary>
internal static class DimArithmetic
{
    public static Dim Plus(this Dim a, Dim b) =>
        a.Expression is { } x && b.Expression is { } y ? Dim.Of(x + y) : Dim.Unknown;

    public static Dim Minus(this Dim a, Dim b) =>
        a.Expression is { } x && b.Expression is { } y ? Dim.Of(x - y) : Dim.Unknown;

    public static Dim Times(this Dim a, Dim b)
    {
        if (a.Value == 0 || b.Value == 0)
            return 0;
        return a.Expression is { } x && b.Expression is { } y ? Dim.Of(x * y) : Dim.Unknown;
    }

    /// <summary>The floor of a quotient; unknown for division by zero.</summary>
    public static Dim Over(this Dim a, Dim b) =>
        a.Expression is { } x && b.Expression is { } y && b.Value != 0 ? Dim.Of(x / y) : Dim.Unknown;

    public static Dim Product(this IEnumerable<Dim> dims) => dims.Aggregate((Dim)1, Times);

    public static Dim Sum(this IEnumerable<Dim> dims) => dims.Aggregate((Dim)0, Plus);
}
