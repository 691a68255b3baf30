using OrtPeft.Adapters.LinearAlgebra;

namespace OrtPeft.Adapters.Weighted;

/// <summary>Combines layers tensor by tensor: A with A and B with B, or the products.</summary>
internal static class TensorWise
{
    /// <summary>
    /// A and B apart, each multiplied by √|weight·scale| so that their product has the weight; A has its sign too.
    /// Products of one adapter's B with another's A come with it, as in HF PEFT.
    /// </summary>
    public static (Matrix A, Matrix B) Factors(
        LayerParts layer, WeightedCombination how, Func<TaskTensors, double[]> merge)
    {
        var (a, b) = (layer.Parts[0].A, layer.Parts[0].B);
        double[] roots = [.. layer.Parts.Select(static p => Math.Sqrt(Math.Abs(p.Weight * p.Scale)))];
        double[] signed = [.. layer.Parts.Select((p, i) => Math.Sign(p.Weight * p.Scale) * roots[i])];
        return (
            Merged("A", [.. layer.Parts.Select(static p => p.A)], signed, a.Rows, a.Columns),
            Merged("B", [.. layer.Parts.Select(static p => p.B)], roots, b.Rows, b.Columns));

        Matrix Merged(string kind, IReadOnlyList<Matrix> factors, double[] weights, int rows, int columns) => Filled(
            rows, columns, merge(new TaskTensors($"{layer.Module}/{kind}", Vectors(factors), weights, how)));
    }

    /// <summary>ΔW = scale·B·A of every adapter, and of the result its largest singular directions.</summary>
    public static (Matrix A, Matrix B) Products(
        LayerParts layer, WeightedCombination how, Func<TaskTensors, double[]> merge)
    {
        IReadOnlyList<Matrix> products = [.. layer.Parts.Select(static p => Scaled(p.B.Times(p.A), p.Scale))];
        var (rows, columns) = (products[0].Rows, products[0].Columns);
        var merged = merge(new TaskTensors($"{layer.Module}/delta", Vectors(products), layer.Weights, how));
        var count = Math.Min(how.SvdRank ?? layer.LargestRank, Math.Min(rows, columns));
        var svd = SingularDirections.Exact(Filled(rows, columns, merged), count);
        return (svd.Right, svd.Left.ScaledRows([.. svd.Values]).Transposed());
    }

    private static Matrix Scaled(Matrix matrix, double factor)
    {
        foreach (ref var element in matrix.Elements)
            element *= factor;
        return matrix;
    }

    private static IReadOnlyList<double[]> Vectors(IEnumerable<Matrix> matrices) =>
        [.. matrices.Select(static m => m.Elements.ToArray())];

    private static Matrix Filled(int rows, int columns, double[] elements)
    {
        var matrix = new Matrix(rows, columns);
        elements.CopyTo(matrix.Elements);
        return matrix;
    }
}
