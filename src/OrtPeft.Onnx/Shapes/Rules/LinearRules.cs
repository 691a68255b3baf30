using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Shapes.Rules;

/// <summary>Matrix products and convolutions.</summary>
internal static class LinearRules
{
    private const string Microsoft = "com.microsoft";

    public static IEnumerable<ShapeRow> Rows =>
    [
        new("MatMul", 2, 2, static c => MatMul(c, c.SameType(0, 1))),
        new("MatMulInteger", 2, 4, static c => MatMul(c, ElementType.Int32)),
        new("DynamicQuantizeMatMul", 3, 5, static c => MatMul(c, ElementType.Float), Microsoft) { Optional = [3] },
        new("MatMulIntegerToFloat", 4, 7, static c => MatMul(c, ElementType.Float), Microsoft) { Optional = [4, 5] },
        new("Gemm", 2, 3, Gemm),
        new("Einsum", 1, ShapeRow.AnyNumber, EinsumRule.Apply) { Attributes = ["equation"] },
        new("Conv", 2, 3, ConvolutionRule.Apply),
        new("ConvTranspose", 2, 3, ConvolutionRule.ApplyTransposed),
        new("FusedMatMul", 2, 2, FusedMatMul, Microsoft),
        new("TransposeMatMul", 2, 2, FusedMatMul, Microsoft),
        new("FusedGemm", 2, 3, Gemm, Microsoft),
        new("MatMulBnb4", 3, 3, MatMulNBits, Microsoft) { Attributes = ["K", "N", "block_size"] },
        new("MatMulNBits", 3, 6, MatMulNBits, Microsoft) { Attributes = ["K", "N", "block_size"] },
    ];

    private static void MatMul(ShapeContext c, ElementType type) => MatMul(c, type, c.ShapeOf(0), c.ShapeOf(1));

    private static void MatMul(ShapeContext c, ElementType type, Shape? a, Shape? b)
    {
        if (a is null || b is null)
        {
            c.Set(0, type, null);
            return;
        }

        if (a.Rank == 0 || b.Rank == 0)
            throw c.Error("a scalar cannot be multiplied as a matrix");
        c.Same(a[a.Rank - 1], b[Math.Max(b.Rank - 2, 0)], "the inner lengths");
        var batch = Broadcasting.Of(c, Shape.Create([.. a.SkipLast(2)]), Shape.Create([.. b.SkipLast(2)]))!;
        IEnumerable<Dim> rows = a.Rank > 1 ? [a[a.Rank - 2]] : [];
        IEnumerable<Dim> columns = b.Rank > 1 ? [b[b.Rank - 1]] : [];
        c.Set(0, type, Shape.Create([.. batch, .. rows, .. columns]));
    }

    private static void Gemm(ShapeContext c)
    {
        var a = c.Ranked(0, 2);
        var b = c.Ranked(1, 2);
        var (transA, transB) = (c.Attributes.Int("transA", 0) != 0, c.Attributes.Int("transB", 0) != 0);
        if (a is not null && b is not null)
            c.Same(a[transA ? 0 : 1], b[transB ? 1 : 0], "the inner lengths");
        Shape result = [a?[transA ? 1 : 0] ?? Dim.Unknown, b?[transB ? 0 : 1] ?? Dim.Unknown];
        if (c.ShapeOf(2) is { } bias && Broadcasting.Of(c, result, bias) is { } sum)
            CheckBias(c, result, bias, sum);
        c.Set(0, c.SameType(0, 1, 2), result);
    }

    /// <summary>The summand is stretched to the product, never the other way round.</summary>
    private static void CheckBias(ShapeContext c, Shape result, Shape bias, Shape sum)
    {
        if (sum.Rank > 2 || result.Zip(sum).Any(static p => p.First.Value == 1 && p.Second.Value > 1))
            throw c.Error($"C {bias} does not broadcast to {result}");
    }

    private static void FusedMatMul(ShapeContext c)
    {
        if (c.Attributes.Int("transBatchA", 0) != 0 || c.Attributes.Int("transBatchB", 0) != 0)
            c.Set(0, c.SameType(0, 1), null);
        else
            MatMul(c, c.SameType(0, 1), Swapped(c.ShapeOf(0), c, "transA"), Swapped(c.ShapeOf(1), c, "transB"));
    }

    private static Shape? Swapped(Shape? shape, ShapeContext c, string attribute) =>
        shape is null || shape.Rank < 2 || c.Attributes.Int(attribute, 0) == 0
            ? shape
            : Shape.Create([.. shape.SkipLast(2), shape[shape.Rank - 1], shape[shape.Rank - 2]]);

    private static void MatMulNBits(ShapeContext c)
    {
        var shape = c.ShapeOf(0);
        var (k, n) = (c.Count("K"), c.Count("N"));
        if (shape is { Rank: > 0 })
        {
            c.Same(shape[shape.Rank - 1], k, "the last axis and K");
            shape = Shape.Create([.. shape.SkipLast(1), n]);
        }

        c.Set(0, c.TypeOf(0), shape);
    }
}
