using System.Numerics;
using System.Numerics.Tensors;

namespace OrtPeft.Adapters.LinearAlgebra;

/// <summary>
/// Eigenvalues and eigenvectors of a symmetric matrix: Householder reflections make it tridiagonal, implicit QL steps
/// with Wilkinson's shift make that diagonal. O(n³): about a second for n = 768.
/// </summary>
/// <seealso href="https://doi.org/10.1137/1.9781611971163">Parlett, The Symmetric Eigenvalue Problem, chapters 7 and
/// 8.</seealso>
internal sealed class SymmetricEigen
{
    private const int MostSteps = 60;
    private const double Rounding = 1.0 / (1L << 52);

    private SymmetricEigen(IReadOnlyList<double> values, Matrix vectors) => (Values, Vectors) = (values, vectors);

    /// <summary>The eigenvalues, falling.</summary>
    public IReadOnlyList<double> Values { get; }

    /// <summary>The eigenvectors as orthonormal rows, in the order of <see cref="Values"/>.</summary>
    public Matrix Vectors { get; }

    /// <summary>Decomposes a matrix.</summary>
    /// <param name="matrix">Symmetric; overwritten.</param>
    /// <returns>The decomposition.</returns>
    /// <exception cref="ArithmeticException">The matrix has elements that are not finite.</exception>
    public static SymmetricEigen Of(Matrix matrix)
    {
        ArgumentNullException.ThrowIfNull(matrix);
        var n = matrix.Rows;
        var (diagonal, beside) = (new double[n], new double[n]);
        Tridiagonalise(matrix, diagonal, beside);
        var vectors = Reflections(matrix).Transposed();
        var negligible = Rounding * diagonal.Zip(beside, static (d, e) => Math.Abs(d) + Math.Abs(e)).Max();
        for (var at = 0; at < n; at++)
            Converge(at, diagonal, beside, negligible, vectors);
        int[] order = [.. Enumerable.Range(0, n).OrderByDescending(i => diagonal[i])];
        var sorted = new Matrix(n, n);
        foreach (var (to, from) in order.Index())
            vectors.Row(from).CopyTo(sorted.Row(to));
        return new SymmetricEigen([.. order.Select(i => diagonal[i])], sorted);
    }

    /// <summary>
    /// A ← H·A·H with H = I − 2v·vᵀ, column by column: A − 2v·wᵀ − 2w·vᵀ, w = A·v − (vᵀ·A·v)·v. Row k keeps v behind
    /// its diagonal.
    /// </summary>
    private static void Tridiagonalise(Matrix a, double[] diagonal, double[] beside)
    {
        var n = a.Rows;
        var w = new double[n];
        for (var k = 0; k < n; k++)
        {
            diagonal[k] = a.Row(k)[k];
            if (k + 1 == n)
                break;
            var v = a.Row(k)[(k + 1)..];
            beside[k] = MakeReflection(v);
            var product = w.AsSpan(0, v.Length);
            for (var i = 0; i < v.Length; i++)
                product[i] = TensorPrimitives.Dot<double>(a.Row(k + 1 + i)[(k + 1)..], v);
            var inner = TensorPrimitives.Dot<double>(product, v);
            TensorPrimitives.MultiplyAdd(v, -inner, product, product);
            for (var i = 0; i < v.Length; i++)
            {
                var row = a.Row(k + 1 + i)[(k + 1)..];
                TensorPrimitives.MultiplyAdd(product, -2 * v[i], row, row);
                TensorPrimitives.MultiplyAdd(v, -2 * product[i], row, row);
            }
        }
    }

    /// <summary>
    /// Turns x into the unit v whose reflection takes x to (result, 0, 0, …); zero where none is needed.
    /// </summary>
    private static double MakeReflection(Span<double> x)
    {
        var norm = TensorPrimitives.Norm<double>(x);
        if (!double.IsFinite(norm))
            throw new ArithmeticException("The matrix to decompose has elements that are not finite.");
        if (x.Length == 1 || norm == 0)
        {
            var kept = x[0];
            x.Clear();
            return kept;
        }

        var result = x[0] > 0 ? -norm : norm;
        x[0] -= result;
        TensorPrimitives.Divide(x, TensorPrimitives.Norm<double>(x), x);
        return result;
    }

    /// <summary>H₀·H₁·…, from the last one backwards, so that each acts only on the block after it.</summary>
    private static Matrix Reflections(Matrix reflected)
    {
        var n = reflected.Rows;
        var q = new Matrix(n, n);
        var sum = new double[n];
        for (var i = 0; i < n; i++)
            q.Row(i)[i] = 1;
        for (var k = n - 2; k >= 0; k--)
        {
            var v = reflected.Row(k)[(k + 1)..];
            var along = sum.AsSpan(0, v.Length);
            along.Clear();
            for (var i = 0; i < v.Length; i++)
                TensorPrimitives.MultiplyAdd(q.Row(k + 1 + i)[(k + 1)..], v[i], along, along);
            for (var i = 0; i < v.Length; i++)
            {
                var row = q.Row(k + 1 + i)[(k + 1)..];
                TensorPrimitives.MultiplyAdd(along, -2 * v[i], row, row);
            }
        }

        return q;
    }

    /// <summary>QL steps until the eigenvalue at an index stands alone.</summary>
    private static void Converge(int at, double[] d, double[] e, double negligible, Matrix vectors)
    {
        for (var steps = 0; ; steps++)
        {
            var end = at;
            while (end + 1 < d.Length && Math.Abs(e[end]) > negligible)
                end++;
            if (end == at)
                return;
            if (steps == MostSteps)
                throw new ArithmeticException("The eigenvalues do not converge; the matrix is not symmetric.");
            Step(at, end, d, e, vectors);
        }
    }

    private static void Step(int at, int end, double[] d, double[] e, Matrix vectors)
    {
        var half = (d[at + 1] - d[at]) / (2 * e[at]);
        var root = Math.Sqrt((half * half) + 1);
        var g = d[end] - d[at] + (e[at] / (half + (half >= 0 ? root : -root)));
        var (sin, cos, shift) = (1.0, 1.0, 0.0);
        for (var i = end - 1; i >= at; i--)
        {
            var (f, b) = (sin * e[i], cos * e[i]);
            var r = Math.Sqrt((f * f) + (g * g));
            e[i + 1] = r;
            if (r == 0)
            {
                d[i + 1] -= shift;
                e[end] = 0;
                return;
            }

            (sin, cos) = (f / r, g / r);
            g = d[i + 1] - shift;
            r = ((d[i] - g) * sin) + (2 * cos * b);
            shift = sin * r;
            d[i + 1] = g + shift;
            g = (cos * r) - b;
            Rotate(vectors.Row(i), vectors.Row(i + 1), sin, cos);
        }

        d[at] -= shift;
        e[at] = g;
        e[end] = 0;
    }

    private static void Rotate(Span<double> first, Span<double> second, double sin, double cos)
    {
        var i = 0;
        for (; i <= first.Length - Vector<double>.Count; i += Vector<double>.Count)
        {
            var (x, y) = (new Vector<double>(first[i..]), new Vector<double>(second[i..]));
            ((x * cos) - (y * sin)).CopyTo(first[i..]);
            ((x * sin) + (y * cos)).CopyTo(second[i..]);
        }

        for (; i < first.Length; i++)
            (first[i], second[i]) = ((cos * first[i]) - (sin * second[i]), (sin * first[i]) + (cos * second[i]));
    }
}
