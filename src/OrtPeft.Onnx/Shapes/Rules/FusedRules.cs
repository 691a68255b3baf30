using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Shapes.Rules;

/// <summary>Operators that ONNX Runtime's own optimisers put in place of several standard ones.</summary>
/// <seealso href="https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md"/>
internal static class FusedRules
{
    private const string Microsoft = "com.microsoft";

    public static IEnumerable<ShapeRow> Rows =>
    [
        new("FastGelu", 1, 2, ElementwiseRules.Like, Microsoft),
        new("Gelu", 1, 1, ElementwiseRules.Like, Microsoft),
        new("QuickGelu", 1, 1, ElementwiseRules.Like, Microsoft),
        new("BiasGelu", 2, 2, ElementwiseRules.Like, Microsoft),
        new("SkipLayerNormalization", 3, 5, static c => Skip(c), Microsoft),
        new("SkipSimplifiedLayerNormalization", 3, 4, static c => Skip(c), Microsoft),
        new("EmbedLayerNormalization", 7, 9, Embed, Microsoft) { Optional = [1, 4] },
    ];

    /// <summary>Outputs: result, mean, inverse deviation, and the sum that was normalised.</summary>
    private static void Skip(ShapeContext c)
    {
        ElementwiseRules.Like(c);
        var statistics = c.ShapeOf(0) is { Rank: > 0 } shape ? Shape.Create([.. shape.SkipLast(1), 1]) : null;
        c.Set(1, ElementType.Float, statistics);
        c.Set(2, ElementType.Float, statistics);
        c.Set(3, c.TypeOf(0), c.ShapeOf(0));
    }

    /// <summary>
    /// Ids [batch, sequence] and word embeddings [vocabulary, hidden] make [batch, sequence, hidden].
    /// </summary>
    private static void Embed(ShapeContext c)
    {
        var ids = c.Ranked(0, 2) ?? ShapeContext.Unknown(2);
        var words = c.Ranked(2, 2) ?? ShapeContext.Unknown(2);
        c.Set(0, c.TypeOf(2), [ids[0], ids[1], words[1]]);
        c.Set(1, ElementType.Int32, [ids[0]]);
        c.Set(2, c.TypeOf(2), [ids[0], ids[1], words[1]]);
    }
}
