namespace OrtPeft.Onnx.Passes.Idioms;

/// <summary>
/// Reads what nodes compute as a polynomial in one value, so that an idiom is recognised however an exporter spells it:
/// <c>x·x·x</c> or <c>Pow(x, 3)</c>, a division by √2 or a product with 0.7071.
/// </summary>
internal static class Polynomial
{
    private const int Deepest = 8;
    private const double Tolerance = 1e-4;

    /// <summary>
    /// Whether a value is c₀ + c₁x + c₂x² + …, to the precision of the exporters' literals.
    /// </summary>
    public static bool Is(Value? value, Value x, params ReadOnlySpan<double> coefficients)
    {
        if (Of(value, x, Deepest) is not { } found || found.Length > coefficients.Length)
            return false;
        for (var i = 0; i < coefficients.Length; i++)
        {
            var difference = (i < found.Length ? found[i] : 0) - coefficients[i];
            if (Math.Abs(difference) > Tolerance * Math.Abs(coefficients[i]))
                return false;
        }

        return true;
    }

    /// <summary>The coefficients from the constant on, or null when the value is not a polynomial in x.</summary>
    private static double[]? Of(Value? value, Value x, int depth)
    {
        if (value == x)
            return [0, 1];
        if (Pattern.Number(value) is { } number)
            return [number];
        if (depth == 0 || value?.Producer is not { Domain: "" } node)
            return null;
        var left = Of(node.Input(0), x, depth - 1);
        if (left is null || node.OpType == "Neg")
            return left is null ? null : Product(left, [-1]);
        var right = Of(node.Input(1), x, depth - 1);
        return (node.OpType, right) switch
        {
            (_, null) => null,
            ("Add", _) => Sum(left, right),
            ("Sub", _) => Sum(left, Product(right, [-1])),
            ("Mul", _) => Product(left, right),
            ("Div", [var divisor]) when divisor != 0 => Product(left, [1 / divisor]),
            ("Pow", [2]) => Product(left, left),
            ("Pow", [3]) => Product(left, Product(left, left)),
            _ => null,
        };
    }

    private static double[] Sum(double[] a, double[] b)
    {
        var sum = new double[Math.Max(a.Length, b.Length)];
        for (var i = 0; i < sum.Length; i++)
            sum[i] = (i < a.Length ? a[i] : 0) + (i < b.Length ? b[i] : 0);
        return sum;
    }

    private static double[] Product(double[] a, double[] b)
    {
        var product = new double[a.Length + b.Length - 1];
        for (var i = 0; i < a.Length; i++)
            for (var j = 0; j < b.Length; j++)
                product[i + j] += a[i] * b[j];
        return product;
    }
}
