namespace OrtPeft.Adapters.Lokr;

/// <summary>Makes the Kronecker product itself, for merging.</summary>
internal static class LokrDelta
{
    /// <summary>w1 ⊗ w2, [out, in] row-major.</summary>
    /// <param name="shape">The factors' lengths.</param>
    /// <param name="factor">The numbers of a stored factor, by its name.</param>
    public static float[] Of(LokrShape shape, Func<string, float[]> factor)
    {
        var first = Matrix("lokr_w1", shape.A, shape.C, shape.SplitsFirst);
        var second = Matrix("lokr_w2", shape.B, shape.D, shape.SplitsSecond);
        var (b, c, d) = ((int)shape.B, (int)shape.C, (int)shape.D);
        var delta = new float[checked((int)shape.A * b * c * d)];
        for (var at = 0; at < delta.Length; at++)
        {
            var (row, column) = (at / (c * d), at % (c * d));
            delta[at] = first[(row / b * c) + (column / d)] * second[(row % b * d) + (column % d)];
        }

        return delta;

        float[] Matrix(string name, long rows, long columns, bool splits) => splits
            ? Product(factor($"{name}_a"), factor($"{name}_b"), (int)rows, (int)columns, shape.R)
            : factor(name);
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
