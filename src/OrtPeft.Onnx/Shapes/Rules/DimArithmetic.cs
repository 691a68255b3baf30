namespace OrtPeft.Onnx.Shapes.Rules;

/// <summary>
/// Sums, products and quotients of lengths; unknown where a part is, or where the result is longer than is kept.
/// </summary>
internal static class DimArithmetic
{
    public static Dim Plus(this Dim a, Dim b) => Dim.Of(SymbolicInteger.Sum(a.Expression, b.Expression));

    public static Dim Minus(this Dim a, Dim b) => Dim.Of(SymbolicInteger.Difference(a.Expression, b.Expression));

    public static Dim Times(this Dim a, Dim b) =>
        a.Value == 0 || b.Value == 0 ? 0 : Dim.Of(SymbolicInteger.Product(a.Expression, b.Expression));

    /// <summary>The floor of a quotient; unknown for division by zero.</summary>
    public static Dim Over(this Dim a, Dim b) => Dim.Of(SymbolicInteger.Quotient(a.Expression, b.Expression));

    public static Dim Product(this IEnumerable<Dim> dims) => dims.Aggregate((Dim)1, Times);

    public static Dim Sum(this IEnumerable<Dim> dims) => dims.Aggregate((Dim)0, Plus);
}
