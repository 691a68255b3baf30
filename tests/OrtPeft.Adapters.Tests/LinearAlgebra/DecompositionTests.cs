using OrtPeft.Adapters.LinearAlgebra;
using OrtPeft.Tensors.Numerics;

namespace OrtPeft.Adapters.Tests.LinearAlgebra;

public sealed class DecompositionTests
{
    /// <summary>float64 with some hundred rounded operations per element.</summary>
    private const double Rounding = 1e-11;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(17)]
    [InlineData(60)]
    public void SymmetricEigen_OfARandomMatrix_TakesItApart(int n)
    {
        var matrix = Random(n, n + 3).Gram();
        var given = matrix.FirstRows(n);

        var eigen = SymmetricEigen.Of(matrix);

        AssertOrthonormal(eigen.Vectors);
        Assert.Equal(eigen.Values.OrderDescending(), eigen.Values);
        var rebuilt = eigen.Vectors.Transposed().Times(eigen.Vectors.ScaledRows([.. eigen.Values]));
        AssertNear(given, rebuilt, Rounding * eigen.Values[0]);
    }

    [Fact]
    public void SymmetricEigen_OfZerosAndEqualValues_Converges()
    {
        var identity = new Matrix(4, 4);
        for (var i = 0; i < 3; i++)
            identity.Row(i)[i] = 2;

        var eigen = SymmetricEigen.Of(identity);

        Assert.Equal([2.0, 2, 2, 0], eigen.Values);
        Assert.Equal([0.0, 0, 0], SymmetricEigen.Of(new Matrix(3, 3)).Values);
    }

    [Fact]
    public void SymmetricEigen_OfNotANumber_Throws()
    {
        var matrix = new Matrix(3, 3);
        matrix.Row(0)[2] = double.NaN;

        Assert.Throws<ArithmeticException>(() => SymmetricEigen.Of(matrix));
    }

    [Theory]
    [InlineData(5, 9)]
    [InlineData(9, 5)]
    [InlineData(6, 6)]
    public void Exact_OfAllDirections_RebuildsTheMatrix(int rows, int columns)
    {
        var matrix = Random(rows, columns);

        var svd = SingularDirections.Exact(matrix, Math.Min(rows, columns));

        AssertOrthonormal(svd.Left);
        AssertOrthonormal(svd.Right);
        var rebuilt = svd.Left.Transposed().Times(svd.Right.ScaledRows([.. svd.Values]));
        AssertNear(matrix, rebuilt, 1e-9); // half the digits of the smallest value are lost in the square
    }

    [Theory]
    [InlineData(0, 0.5)]
    [InlineData(12, 1e-6)]
    public void Iterated_WithMoreIterations_ComesToTheExactDirections(int iterations, double tolerance)
    {
        var matrix = Random(30, 40).ScaledRows([.. Enumerable.Range(0, 30).Select(static i => Math.Pow(0.7, i))]);
        var exact = SingularDirections.Exact(matrix, 3);

        var near = SingularDirections.Iterated(matrix, 3, Random(8, 40), iterations);

        foreach (var (expected, actual) in exact.Values.Zip(near.Values))
            Assert.Equal(1, actual / expected, tolerance);
    }

    [Fact]
    public void OrthonormaliseRows_OfADependentRow_MakesItZero()
    {
        var matrix = Matrix.Of(3, 2, [3, 4, 6, 8, 1, 0]);

        matrix.OrthonormaliseRows();

        Assert.Equal([0.6, 0.8], matrix.Row(0).ToArray().Select(static v => Math.Round(v, 12)));
        Assert.Equal([0.0, 0], matrix.Row(1).ToArray());
        Assert.Equal([0.8, -0.6], matrix.Row(2).ToArray().Select(static v => Math.Round(v, 12)));
    }

    private static Matrix Random(int rows, int columns)
    {
        var random = new SplitMix64(rows, $"{columns}");
        var values = Enumerable.Range(0, rows * columns).Select(_ => random.NextNormal(1)).ToArray();
        return Matrix.Of(rows, columns, values);
    }

    private static void AssertOrthonormal(Matrix rows)
    {
        var gram = rows.Gram();
        for (var i = 0; i < rows.Rows; i++)
            for (var j = 0; j < rows.Rows; j++)
                Assert.Equal(i == j ? 1 : 0, gram.Row(i)[j], 1e-7);
    }

    private static void AssertNear(Matrix expected, Matrix actual, double tolerance)
    {
        for (var i = 0; i < expected.Rows; i++)
            for (var j = 0; j < expected.Columns; j++)
                Assert.Equal(expected.Row(i)[j], actual.Row(i)[j], tolerance);
    }
}
