using System.Numerics.Tensors;
using OrtPeft.Adapters.LinearAlgebra;

namespace OrtPeft.Training.Eva;

/// <summary>
/// The principal axes of rows that come in batches, in memory for the axes and one piece of a batch: what was seen is
/// kept as its axes times its singular values, stacked on the next piece and decomposed again.
/// </summary>
/// <seealso href="https://doi.org/10.1007/s11263-007-0075-7">Ross et al., Incremental learning for robust visual
/// tracking, section 2.1.</seealso>
internal sealed class IncrementalPca(int features, int count)
{
    private const int PieceRows = 256;

    private readonly double[] _mean = new double[features];
    private double _squares;
    private long _rows;

    /// <summary>The axes as rows, by falling singular value; null before the first batch.</summary>
    public Matrix? Axes { get; private set; }

    /// <summary>The singular values of the rows less their mean.</summary>
    public IReadOnlyList<double> Values { get; private set; } = [];

    /// <summary>The part of the whole variance along each axis, 0..1.</summary>
    public IReadOnlyList<double> VarianceRatios
    {
        get
        {
            var total = _squares - (_rows * TensorPrimitives.SumOfSquares<double>(_mean));
            return [.. Values.Select(v => total > 0 ? v * v / total : 0)];
        }
    }

    /// <summary>Takes rows in.</summary>
    /// <param name="rows">[n, features].</param>
    /// <returns>The least cosine between an axis before and after; 0 after the first batch.</returns>
    public double Add(Matrix rows)
    {
        var before = Axes;
        var pieces = Math.Max(1, (rows.Rows + PieceRows - 1) / PieceRows);
        for (var piece = 0; piece < pieces; piece++)
        {
            var (from, to) = (piece * rows.Rows / pieces, (piece + 1) * rows.Rows / pieces);
            AddPiece(rows, from, to - from);
        }

        return before is null || before.Rows != Axes!.Rows
            ? 0
            : Enumerable.Range(0, before.Rows)
                .Min(i => Math.Abs(TensorPrimitives.Dot<double>(before.Row(i), Axes.Row(i))));
    }

    private void AddPiece(Matrix rows, int from, int n)
    {
        var mean = new double[features];
        for (var i = 0; i < n; i++)
        {
            TensorPrimitives.Add<double>(mean, rows.Row(from + i), mean);
            _squares += TensorPrimitives.SumOfSquares<double>(rows.Row(from + i));
        }

        TensorPrimitives.Divide(mean, n, mean);
        var known = Axes?.Rows ?? 0;
        var stack = new Matrix(known + n + 1, features);
        for (var i = 0; i < known; i++)
            TensorPrimitives.Multiply(Axes!.Row(i), Values[i], stack.Row(i));
        for (var i = 0; i < n; i++)
            TensorPrimitives.Subtract(rows.Row(from + i), mean, stack.Row(known + i));
        var between = stack.Row(known + n); // how far the two means are apart
        TensorPrimitives.Subtract<double>(_mean, mean, between);
        TensorPrimitives.Multiply(between, Math.Sqrt((double)_rows * n / (_rows + n)), between);
        for (var i = 0; i < features; i++)
            _mean[i] += (mean[i] - _mean[i]) * n / (_rows + n);
        _rows += n;
        var svd = SingularDirections.Exact(stack, Math.Min(count, Math.Min(stack.Rows - 1, features)));
        (Axes, Values) = (svd.Right, svd.Values);
    }
}
