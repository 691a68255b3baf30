using OrtPeft.Adapters.LinearAlgebra;
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
        var rank = b.Length / rows;
        if (rank > Math.Min(rows, columns))
        {
            var product = Matrix.Of(rows, rank, b).Times(Matrix.Of(rank, columns, a)).ToTensor().ToFloat32();
            (a, b) = rows <= columns ? (product, Identity(rows)) : (Identity(columns), product);
            rank = Math.Min(rows, columns);
        }

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
}
