using System.Numerics.Tensors;

using Tensor = OrtPeft.Tensors.Tensor;

namespace OrtPeft.Adapters.LinearAlgebra;

/// <summary>A dense float64 matrix, row after row, for decompositions of weights and activations. Mutable.</summary>
internal sealed class Matrix
{
    private readonly double[] _values;

    /// <summary>Makes a matrix of zeros.</summary>
    /// <param name="rows">How many rows, at least 0.</param>
    /// <param name="columns">How many columns, at least 0.</param>
    public Matrix(int rows, int columns)
    {
        (Rows, Columns) = (rows, columns);
        _values = new double[checked(rows * columns)];
    }

    /// <summary>The number of rows.</summary>
    public int Rows { get; }

    /// <summary>The number of columns.</summary>
    public int Columns { get; }

    /// <summary>All elements, row after row; writing changes the matrix.</summary>
    internal Span<double> Elements => _values;

    /// <summary>Widens numbers.</summary>
    /// <param name="rows">How many rows.</param>
    /// <param name="columns">How many columns.</param>
    /// <param name="values">The elements, row after row.</param>
    /// <param name="factor">What to multiply them by; 1 when left out.</param>
    /// <returns>The matrix.</returns>
    public static Matrix Of(int rows, int columns, ReadOnlySpan<float> values, double factor = 1)
    {
        var matrix = new Matrix(rows, columns);
        for (var i = 0; i < values.Length; i++)
            matrix._values[i] = factor * values[i];
        return matrix;
    }

    /// <summary>One row's elements.</summary>
    /// <param name="index">From 0.</param>
    /// <returns>The elements; writing changes the matrix.</returns>
    public Span<double> Row(int index) => _values.AsSpan(index * Columns, Columns);

    /// <summary>The elements as float32.</summary>
    /// <returns>[rows, columns] float32.</returns>
    public Tensor ToTensor() => Tensor.Of<float>([.. _values.Select(static v => (float)v)], [Rows, Columns]);

    /// <summary>The matrix with rows and columns exchanged.</summary>
    /// <returns>A new matrix.</returns>
    public Matrix Transposed()
    {
        var result = new Matrix(Columns, Rows);
        for (var i = 0; i < Rows; i++)
            for (var j = 0; j < Columns; j++)
                result._values[(j * Rows) + i] = _values[(i * Columns) + j];
        return result;
    }

    /// <summary>This times another.</summary>
    /// <param name="other">As many rows as this has columns.</param>
    /// <returns>[this rows, other columns].</returns>
    public Matrix Times(Matrix other)
    {
        ArgumentNullException.ThrowIfNull(other);
        var result = new Matrix(Rows, other.Columns);
        for (var i = 0; i < Rows; i++)
        {
            var factors = Row(i);
            var sum = result.Row(i);
            for (var k = 0; k < Columns; k++)
                TensorPrimitives.MultiplyAdd(other.Row(k), factors[k], sum, sum);
        }

        return result;
    }

    /// <summary>This times another's transpose: the inner products of their rows.</summary>
    /// <param name="other">As many columns as this.</param>
    /// <returns>[this rows, other rows].</returns>
    public Matrix TimesTransposed(Matrix other)
    {
        ArgumentNullException.ThrowIfNull(other);
        var result = new Matrix(Rows, other.Rows);
        for (var i = 0; i < Rows; i++)
            for (var j = 0; j < other.Rows; j++)
                result.Row(i)[j] = TensorPrimitives.Dot<double>(Row(i), other.Row(j));
        return result;
    }

    /// <summary>The inner products of all rows, symmetric.</summary>
    /// <returns>[rows, rows].</returns>
    public Matrix Gram()
    {
        var result = new Matrix(Rows, Rows);
        for (var i = 0; i < Rows; i++)
        {
            for (var j = 0; j <= i; j++)
            {
                var product = TensorPrimitives.Dot<double>(Row(i), Row(j));
                (result.Row(i)[j], result.Row(j)[i]) = (product, product);
            }
        }

        return result;
    }

    /// <summary>The matrix with every row multiplied by a number.</summary>
    /// <param name="factors">One per row.</param>
    /// <returns>A new matrix.</returns>
    public Matrix ScaledRows(ReadOnlySpan<double> factors)
    {
        var result = new Matrix(Rows, Columns);
        for (var i = 0; i < Rows; i++)
            TensorPrimitives.Multiply(Row(i), factors[i], result.Row(i));
        return result;
    }

    /// <summary>The first rows.</summary>
    /// <param name="count">How many.</param>
    /// <returns>A new matrix.</returns>
    public Matrix FirstRows(int count) => Copy(count, Columns, static i => i);

    /// <summary>The first columns.</summary>
    /// <param name="count">How many.</param>
    /// <returns>A new matrix.</returns>
    public Matrix FirstColumns(int count) => Copy(Rows, count, static i => i);

    /// <summary>Rows 0, 2, 4, … or 1, 3, 5, ….</summary>
    /// <param name="first">0 or 1.</param>
    /// <returns>A new matrix of half the rows.</returns>
    public Matrix EveryOtherRow(int first) => Copy(Rows / 2, Columns, i => (2 * i) + first);

    /// <summary>
    /// Makes the rows orthonormal from the first on (Gram and Schmidt, twice each); rows that depend on those before
    /// them become zero.
    /// </summary>
    public void OrthonormaliseRows()
    {
        for (var i = 0; i < Rows; i++)
        {
            var row = Row(i);
            var before = TensorPrimitives.Norm<double>(row);
            for (var pass = 0; pass < 2; pass++)
                for (var j = 0; j < i; j++)
                    TensorPrimitives.MultiplyAdd(Row(j), -TensorPrimitives.Dot<double>(Row(j), row), row, row);
            var norm = TensorPrimitives.Norm<double>(row);
            var isIndependent = norm > 1e-12 * before;
            TensorPrimitives.Multiply(row, isIndependent ? 1 / norm : 0, row);
        }
    }

    private Matrix Copy(int rows, int columns, Func<int, int> source)
    {
        var result = new Matrix(rows, columns);
        for (var i = 0; i < rows; i++)
            Row(source(i))[..columns].CopyTo(result.Row(i));
        return result;
    }
}
