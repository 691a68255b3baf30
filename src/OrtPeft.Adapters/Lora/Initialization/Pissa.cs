using OrtPeft.Adapters.LinearAlgebra;

namespace OrtPeft.Adapters.Lora.Initialization;

/// <summary>
/// PiSSA: with W = U·S·Vᵀ, A = √(Sᵣ/s)·Vᵣᵀ and B = Uᵣ·√(Sᵣ/s) for the r largest singular values, so that s·B·A is the
/// best approximation of rank r; the rest stays frozen.
/// </summary>
/// <seealso href="https://arxiv.org/abs/2404.02948">Meng et al., section 3.</seealso>
internal static class Pissa
{
    private const int Oversampling = 8;

    public static LoraFactors Exact(LoraStartingPoint start)
    {
        start.RequireRankWithinWeight();
        return Taken(start, () => SingularDirections.Exact(start.Weight(), start.Rank));
    }

    public static LoraFactors Iterated(LoraStartingPoint start)
    {
        start.RequireRankWithinWeight();
        return Taken(start, () => Approximated(start));
    }

    private static SingularDirections Approximated(LoraStartingPoint start)
    {
        var weight = start.Weight();
        var width = Math.Min(start.Rank + Oversampling, Math.Min(weight.Rows, weight.Columns));
        var first = start.FixedNormal(width, weight.Columns);
        return SingularDirections.Iterated(weight, start.Rank, first, start.Iterations);
    }

    private static LoraFactors Taken(LoraStartingPoint start, Func<SingularDirections> decompose) =>
        LoraFactors.Promised(start, () => Split(start, decompose())) with { AreTakenFromBase = true };

    /// <summary>A and B of the largest directions: s·B·A = Σ σᵢ·uᵢ·vᵢᵀ.</summary>
    public static LoraFactors Split(LoraStartingPoint start, SingularDirections svd)
    {
        var roots = svd.Values.Select(v => Math.Sqrt(v / Math.Abs(start.Scale))).ToArray();
        var sign = Math.Sign(start.Scale);
        var a = svd.Right.ScaledRows(roots);
        var b = svd.Left.ScaledRows([.. roots.Select(r => sign * r)]).Transposed();
        return new LoraFactors(a.ToTensor(), b.ToTensor());
    }
}
