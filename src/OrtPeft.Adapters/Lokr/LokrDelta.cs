namespace OrtPeft.Adapters.Lokr;

/// <summary>Makes the Kronecker product itself, for merging, or two factors of it.</summary>
internal static class LokrDelta
{
    /// <summary>w1 ⊗ w2, [out, in] row-major.</summary>
    /// <param name="shape">The factors' lengths.</param>
    /// <param name="factor">The numbers of a stored factor, by its name.</param>
    public static float[] Of(LokrShape shape, Func<string, float[]> factor)
    {
        var first = Matrix("lokr_w1", shape.A, shape.C, shape.SplitsFirst);
        var second = Matrix("lokr_w2", shape.B, shape.D, shape.SplitsSecond);
        return Kronecker(first, shape.C, second, shape.D);

        float[] Matrix(string name, long rows, long columns, bool splits) => splits
            ? Product(factor($"{name}_a"), factor($"{name}_b"), (int)rows, (int)columns, shape.R)
            : factor(name);
    }

    /// <summary>Left [out, n] and right [n, in], whose product is w1 ⊗ w2: (L1·R1) ⊗ (L2·R2) = (L1 ⊗ L2)·(R1 ⊗ R2). A factor
    /// that is stored whole is multiplied by the identity.</summary>
    /// <param name="shape">The factors' lengths.</param>
    /// <param name="factor">The numbers of a stored factor, by its name.</param>
    public static (float[] Left, float[] Right) FactorsOf(LokrShape shape, Func<string, float[]> factor)
    {
        var first = Pair("lokr_w1", shape.A, shape.C, shape.SplitsFirst);
        var second = Pair("lokr_w2", shape.B, shape.D, shape.SplitsSecond);
        return (
            Kronecker(first.Left, first.Left.Length / shape.A, second.Left, second.Left.Length / shape.B),
            Kronecker(first.Right, shape.C, second.Right, shape.D));

        (float[] Left, float[] Right) Pair(string name, long rows, long columns, bool splits) => splits
            ? (factor($"{name}_a"), factor($"{name}_b"))
            : rows <= columns
                ? (LowRankChange.Identity((int)rows), factor(name))
                : (factor(name), LowRankChange.Identity((int)columns));
    }

    /// <summary>Two row-major matrices' product, given their columns.</summary>
    private static float[] Kronecker(float[] first, long firstColumns, float[] second, long secondColumns)
    {
        var (c, d) = ((int)firstColumns, (int)secondColumns);
        var b = second.Length / d;
        var product = new float[checked(first.Length * second.Length)];
        for (var at = 0; at < product.Length; at++)
        {
            var (row, column) = (at / (c * d), at % (c * d));
            product[at] = first[(row / b * c) + (column / d)] * second[(row % b * d) + (column % d)];
        }

        return product;
    }

    private static float[] Product(float[] left, float[] right, int rows, int columns, int r)
    {
        var product = new float[checked(rows * columns)];
        for (var i = 0; i < rows; i++)
            for (var k = 0; k < r; k++)
                for (var j = 0; j < columns; j++)
                    product[(i * columns) + j] += left[(i * r) + k] * right[(k * columns) + j];
        return product;
    }
}
