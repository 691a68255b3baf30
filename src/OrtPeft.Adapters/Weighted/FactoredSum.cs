using System.Numerics.Tensors;
using OrtPeft.Adapters.LinearAlgebra;

namespace OrtPeft.Adapters.Weighted;

/// <summary>Σ weight·scale·B·A without making it: [B₁, B₂, …]·[w₁s₁A₁; w₂s₂A₂; …].</summary>
internal static class FactoredSum
{
    /// <summary>The sum itself; its rank is the sum of the ranks.</summary>
    public static (Matrix A, Matrix B) Concatenated(LayerParts layer)
    {
        var k = layer.SumOfRanks;
        var a = new Matrix(k, layer.Parts[0].A.Columns);
        var turnedB = new Matrix(k, layer.Parts[0].B.Rows);
        var at = 0;
        foreach (var part in layer.Parts)
        {
            var columns = part.B.Transposed();
            for (var i = 0; i < part.A.Rows; i++, at++)
            {
                TensorPrimitives.Multiply(part.A.Row(i), part.Weight * part.Scale, a.Row(at));
                columns.Row(i).CopyTo(turnedB.Row(at));
            }
        }

        return (a, turnedB.Transposed());
    }

    /// <summary>
    /// Its largest singular directions, B = U·S and A = Vᵀ. With the rows of Q spanning B's columns, B·A = Qᵀ·(Q·B·A),
    /// so only a matrix of k rows is decomposed.
    /// </summary>
    public static (Matrix A, Matrix B) Truncated(LayerParts layer, WeightedCombination how)
    {
        var (a, b) = Concatenated(layer);
        var q = b.Transposed();
        q.OrthonormaliseRows();
        var small = q.Times(b).Times(a);
        var most = Math.Min(small.Rows, Math.Min(small.Columns, b.Rows));
        var svd = SingularDirections.Exact(small, Math.Min(how.SvdRank ?? layer.LargestRank, most));
        return (svd.Right, svd.Left.Times(q).ScaledRows([.. svd.Values]).Transposed());
    }
}
