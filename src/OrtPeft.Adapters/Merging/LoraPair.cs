using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Merging;

/// <summary>A and B of one layer, and where it stands in the given graph.</summary>
/// <param name="Site">The place.</param>
/// <param name="A">[r, in].</param>
/// <param name="B">[out, r].</param>
/// <param name="Scale">What the product is multiplied by.</param>
internal sealed record LoraPair(LoraSite Site, Tensor A, Tensor B, double Scale)
{
    /// <summary>
    /// The pairs of one product as one: Aᵀ [in, r] and s·Bᵀ [r, width], row-major, r being the sum of the ranks and rows of B
    /// being zero outside the part of the product that a pair is of.
    /// </summary>
    /// <param name="pairs">The pairs, at least one.</param>
    public static (float[] Down, float[] Up, int Rank) Stack(IReadOnlyList<LoraPair> pairs)
    {
        var (inputs, width) = (pairs[0].Site.InFeatures, pairs[0].Site.Width);
        var rank = pairs.Sum(static p => (int)p.A.Dims[0]);
        var (down, up, at) = (new float[inputs * rank], new float[rank * width], 0);
        foreach (var pair in pairs)
        {
            var (r, outputs) = ((int)pair.A.Dims[0], (int)pair.B.Dims[0]);
            var (a, b) = (pair.A.ToFloat32(), pair.B.ToFloat32());
            for (var k = 0; k < r; k++)
            {
                for (var i = 0; i < inputs; i++)
                    down[(i * rank) + at + k] = a[(k * inputs) + i];
                for (var o = 0; o < outputs; o++)
                    up[((at + k) * width) + pair.Site.First + o] = (float)(pair.Scale * b[(o * r) + k]);
            }

            at += r;
        }

        return (down, up, rank);
    }
}
