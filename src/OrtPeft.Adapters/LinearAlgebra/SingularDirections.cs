using System.Numerics.Tensors;

namespace OrtPeft.Adapters.LinearAlgebra;

/// <summary>
/// The largest singular values of a matrix M = Σ σᵢ·uᵢ·vᵢᵀ with their directions. Values that are zero have zero
/// directions on one side.
/// </summary>
internal sealed class SingularDirections
{
    private SingularDirections(IReadOnlyList<double> values, Matrix left, Matrix right) =>
        (Values, Left, Right) = (values, left, right);

    /// <summary>σ, falling.</summary>
    public IReadOnlyList<double> Values { get; }

    /// <summary>uᵢ as rows, [count, rows of M].</summary>
    public Matrix Left { get; }

    /// <summary>vᵢ as rows, [count, columns of M].</summary>
    public Matrix Right { get; }

    /// <summary>
    /// Computes the largest ones through the eigenvectors of the smaller Gram matrix. Squaring costs small singular
    /// values half their digits, the large ones nothing: good to some 1e-8 of the largest.
    /// </summary>
    /// <param name="matrix">M. Memory: one more copy of it and three squares of its shorter side.</param>
    /// <param name="count">How many, at most its shorter side.</param>
    /// <returns>The directions.</returns>
    public static SingularDirections Exact(Matrix matrix, int count)
    {
        ArgumentNullException.ThrowIfNull(matrix);
        if (matrix.Rows > matrix.Columns)
        {
            var turned = Exact(matrix.Transposed(), count);
            return new SingularDirections(turned.Values, turned.Right, turned.Left);
        }

        var eigen = SymmetricEigen.Of(matrix.Gram());
        return FromLeft(matrix, eigen.Vectors.FirstRows(count));
    }

    /// <summary>Approximates the largest ones by applying M and its transpose over and over to random rows.</summary>
    /// <param name="matrix">M.</param>
    /// <param name="count">How many.</param>
    /// <param name="random">Random rows to start from, some more than wanted, [≥ count, columns of M].</param>
    /// <param name="iterations">How often, at least 0.</param>
    /// <returns>The directions.</returns>
    /// <seealso href="https://arxiv.org/abs/0909.4061">Halko et al., algorithms 4.4 and 5.1.</seealso>
    public static SingularDirections Iterated(Matrix matrix, int count, Matrix random, int iterations)
    {
        ArgumentNullException.ThrowIfNull(matrix);
        ArgumentNullException.ThrowIfNull(random);
        var q = random.TimesTransposed(matrix);
        q.OrthonormaliseRows();
        for (var i = 0; i < iterations; i++)
        {
            var back = q.Times(matrix);
            back.OrthonormaliseRows();
            q = back.TimesTransposed(matrix);
            q.OrthonormaliseRows();
        }

        var small = q.Times(matrix);
        var within = SymmetricEigen.Of(small.Gram()).Vectors.FirstRows(count);
        return FromLeft(matrix, within.Times(q));
    }

    /// <summary>With uᵢ known: σᵢ·vᵢᵀ = uᵢᵀ·M.</summary>
    private static SingularDirections FromLeft(Matrix matrix, Matrix left)
    {
        var right = left.Times(matrix);
        var values = new double[left.Rows];
        for (var i = 0; i < values.Length; i++)
            values[i] = TensorPrimitives.Norm<double>(right.Row(i));
        var inverse = values.Select(static v => v > 0 ? 1 / v : 0).ToArray();
        return new SingularDirections(values, left, right.ScaledRows(inverse));
    }
}
