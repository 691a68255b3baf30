using OrtPeft.Adapters.Modules;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters;

/// <summary>The change that an adapter adds to a layer's weight, as LoRA's product of two factors: ΔW = s·B·A.</summary>
/// <param name="Module">The layer's path in the source model.</param>
/// <param name="A">[r, in].</param>
/// <param name="B">[out, r].</param>
/// <param name="Scale">s.</param>
internal sealed record LowRankChange(string Module, Tensor A, Tensor B, double Scale)
{
    /// <summary>A change of any inner length; where that is beyond the layer's features, one factor becomes the product and
    /// the other the identity.</summary>
    /// <param name="module">The layer.</param>
    /// <param name="a">[n, in], row-major.</param>
    /// <param name="b">[out, n], row-major.</param>
    /// <param name="scale">s.</param>
    public static LowRankChange Of(LinearModule module, float[] a, float[] b, double scale)
    {
        var (rows, columns) = ((int)module.OutFeatures, (int)module.InFeatures);
        if (b.Length / rows > Math.Min(rows, columns))
            (a, b) = rows <= columns ? (Product(a, b, rows, columns), Identity(rows)) : (Identity(columns), Product(a, b, rows, columns));
        var rank = b.Length / rows;
        return new LowRankChange(
            module.Name, Tensor.Of<float>(a, [rank, columns]), Tensor.Of<float>(b, [rows, rank]), scale);
    }

    /// <summary>1 on the diagonal, 0 elsewhere, [n, n].</summary>
    public static float[] Identity(int n)
    {
        var identity = new float[checked(n * n)];
        for (var i = 0; i < n; i++)
            identity[(i * n) + i] = 1;
        return identity;
    }

    private static float[] Product(float[] a, float[] b, int rows, int columns)
    {
        var (product, row, n) = (new float[checked(rows * columns)], new double[columns], b.Length / rows);
        for (var i = 0; i < rows; i++)
        {
            Array.Clear(row);
            for (var k = 0; k < n; k++)
            {
                for (var j = 0; j < columns; j++)
                    row[j] += (double)b[(i * n) + k] * a[(k * columns) + j];
            }

            for (var j = 0; j < columns; j++)
                product[(i * columns) + j] = (float)row[j];
        }

        return product;
    }
}
