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
        new("CausalConvWithState", 2, 4, Convolution, Microsoft) { Optional = [2] },
        new("GatherBlockQuantized", 3, 4, QuantizedRows, Microsoft) { Integers = [1] },
        new("MoE", 5, 8, ElementwiseRules.Like, Microsoft) { Optional = [3] },
        new("QMoE", 6, 21, ElementwiseRules.Like, Microsoft) { Optional = [3, 4] },
    ];

    /// <summary>Outputs: x's form, and as many positions as the weights reach back to.</summary>
    private static void Convolution(ShapeContext c)
    {
        ElementwiseRules.Like(c);
        var (shape, axis) = (c.ShapeOf(0), c.Attributes.Int("channels_last", 0) != 0 ? 1 : 2);
        if (c.ShapeOf(3) is { } past)
            c.Set(1, c.TypeOf(0), past);
        else if (shape is { Rank: 3 } && c.ShapeOf(1) is { Rank: 3 } weights && weights[2].Value is { } taps)
            c.Set(1, c.TypeOf(0), Shape.Create(
                [.. shape.Take(axis), (taps - 1) * c.Attributes.Int("dilation", 1), .. shape.Skip(axis + 1)]));
        else
            c.Set(1, c.TypeOf(0), null);
    }

    /// <summary>Rows [rows, columns], or their bytes, at indices.</summary>
    private static void QuantizedRows(ShapeContext c)
    {
        var each = c.TypeOf(0) == ElementType.UInt8 ? 8 / Math.Clamp(c.Attributes.Int("bits", 4), 1, 8) : 1;
        var columns = c.Ranked(0, 2)?[1].Value * each;
        c.Set(0, c.TypeOf(2), c.ShapeOf(1) is { } indices && columns is { } width ? [.. indices, width] : null);
    }

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
