using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Shapes.Rules;

/// <summary>Normalisations, dropout and losses.</summary>
internal static class NormalizationRules
{
    public static IEnumerable<ShapeRow> Rows =>
    [
        .. new[] { "", "com.microsoft" }.SelectMany(static domain => new ShapeRow[]
        {
            new("LayerNormalization", 2, 3, LayerNormalization, domain),
            new("SimplifiedLayerNormalization", 2, 2, SimplifiedLayerNormalization, domain),
        }),
        new("RMSNormalization", 2, 2, ElementwiseRules.Like),
        new("GroupNormalization", 3, 3, GroupNormalization) { Attributes = ["num_groups"] },
        new("InstanceNormalization", 3, 3, ElementwiseRules.Like),
        new("BatchNormalization", 5, 5, ElementwiseRules.Like),
        new("MeanVarianceNormalization", 1, 1, ElementwiseRules.Like),
        new("LpNormalization", 1, 1, ElementwiseRules.Like),
        new("Dropout", 1, 3, Dropout),
        new("SoftmaxCrossEntropyLoss", 2, 3, CrossEntropy),
        new("NegativeLogLikelihoodLoss", 2, 3, static c => Loss(c)),
    ];

    private static void LayerNormalization(ShapeContext c)
    {
        ElementwiseRules.Like(c);
        var statistics = Statistics(c);
        c.Set(1, StatisticsType(c), statistics);
        c.Set(2, StatisticsType(c), statistics);
    }

    private static void SimplifiedLayerNormalization(ShapeContext c)
    {
        ElementwiseRules.Like(c);
        c.Set(1, StatisticsType(c), Statistics(c));
    }

    private static ElementType StatisticsType(ShapeContext c) => c.TypeIn("stash_type", ElementType.Float);

    private static Shape? Statistics(ShapeContext c)
    {
        if (c.ShapeOf(0) is not { } shape)
            return null;
        var axis = c.Axis(c.Attributes.Int("axis", -1), shape.Rank);
        return Shape.Create([.. shape.Select((d, i) => i < axis ? d : 1)]);
    }

    private static void GroupNormalization(ShapeContext c)
    {
        c.Count("num_groups");
        c.Ranked(1, 1);
        c.Ranked(2, 1);
        ElementwiseRules.Like(c);
    }

    private static void Dropout(ShapeContext c)
    {
        c.MustBeSingle(1, "one floating-point number, the ratio", static type => type.IsFloating());
        c.MustBeSingle(2, "one Bool, whether it trains", static type => type == ElementType.Bool);
        ElementwiseRules.Like(c);
        c.Set(1, c.Opset >= 10 ? ElementType.Bool : c.TypeOf(0), c.ShapeOf(0));
    }

    private static void CrossEntropy(ShapeContext c)
    {
        Loss(c);
        c.Set(1, c.TypeOf(0), c.ShapeOf(0));
    }

    /// <summary>Scores [batch, classes, …] against labels [batch, …].</summary>
    private static void Loss(ShapeContext c)
    {
        if (c.ShapeOf(0) is { } scores && c.ShapeOf(1) is { } labels && scores.Rank != labels.Rank + 1)
            throw c.Error($"scores of rank {scores.Rank} need labels of rank {scores.Rank - 1}, not {labels.Rank}");
        c.Set(0, c.TypeOf(0), c.Attributes.String("reduction", "mean") == "none" ? c.ShapeOf(1) : Shape.Scalar);
    }
}
