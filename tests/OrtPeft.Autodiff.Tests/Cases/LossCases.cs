using OrtPeft.Autodiff.Tests.Proof;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using static OrtPeft.Autodiff.Tests.Proof.TestInput;

namespace OrtPeft.Autodiff.Tests.Cases;

/// <summary>Losses over classes, with and without weights and an ignored label.</summary>
internal static class LossCases
{
    private const long Nothing = long.MinValue;

    public static IEnumerable<GradientCase> Rows =>
        from op in new[] { "SoftmaxCrossEntropyLoss", "NegativeLogLikelihoodLoss" }
        from reduction in new[] { "none", "mean", "sum" }
        from isWeighted in new[] { false, true }
        from form in new[]
        {
            (Ignored: Nothing, Scores: Generic(3, 4), Labels: Int64([0, 3, 1], 3)),
            (Ignored: Nothing, Scores: Generic(3, 4), Labels: Int32([0, 3, 1], 3)),
            (Ignored: 3, Scores: Generic(3, 4), Labels: Int64([0, 3, 1], 3)),
            (Ignored: -100, Scores: Generic(2, 3, 2), Labels: Int64([-100, 2, 1, -100], 2, 2)),
            (Ignored: -1, Scores: Generic(1, 3, 2, 2), Labels: Int32([2, -1, 0, 2], 1, 2, 2)),
        }
        select Loss(op, reduction, isWeighted, form.Ignored, form.Scores, form.Labels);

    private static GradientCase Loss(
        string op, string reduction, bool isWeighted, long ignored, TestInput scores, TestInput labels)
    {
        NodeAttribute[] attributes =
        [
            NodeAttribute.Of("reduction", reduction),
            .. ignored == Nothing ? Array.Empty<NodeAttribute>() : [NodeAttribute.Of("ignore_index", ignored)],
        ];
        var form = $"{labels.Type} [{string.Join(",", labels.Dims)}], ignored {(ignored == Nothing ? "-" : ignored)}";
        return new GradientCase(
            op,
            $"{reduction}, labels {form}, {(isWeighted ? "weights" : "no weights")}",
            (g, x) => [g.Op(op, isWeighted ? [x[0], x[1], Weights(g, x[0])] : [x[0], x[1]], attributes)],
            scores,
            labels);
    }

    private static Value Weights(GraphBuilder g, Value scores)
    {
        var classes = g.Gather(g.Shape(scores), g.Int64Scalar(1));
        var numbers = g.Op("Range", g.Int64Scalar(1), g.Add(classes, 1), g.Int64Scalar(1));
        return g.Mul(g.Cast(numbers, scores.Type), 0.375);
    }
}
