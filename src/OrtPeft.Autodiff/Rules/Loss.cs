using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Autodiff.Rules;

/// <summary>
/// Losses over classes: axis 1 of the scores, with class weights, an ignored label and the three reductions.
/// </summary>
/// <seealso href="https://onnx.ai/onnx/operators/onnx__SoftmaxCrossEntropyLoss.html">Opset 13.</seealso>
internal static class Loss
{
    public static IEnumerable<(OpKey Key, GradientRule Rule)> Rows { get; } =
    [
        (("SoftmaxCrossEntropyLoss", 12), static c =>
            c.PadToInputs((Softmax(c.X(), 1) - OneHot(c)) * PerSample(c))),
        (("NegativeLogLikelihoodLoss", 12), static c => c.PadToInputs(-(OneHot(c) * PerSample(c)))),
    ];

    /// <summary>1 at each sample's label; an ignored label, moved to class 0, is silenced by its weight.</summary>
    private static Term OneHot(RuleContext c)
    {
        var classes = c.G.Op("Slice", c.G.Shape(c.X()), c.G.Int64(1), c.G.Int64(2));
        var (off, on) = (c.G.ScalarLike(c.DY, 0), c.G.ScalarLike(c.DY, 1));
        var offOn = c.G.Concat(0, c.G.Reshape(off, 1), c.G.Reshape(on, 1));
        var labels = Cast(Labels(c).Safe, ElementType.Int64);
        return c.G.Term(c.G.Op("OneHot", [labels, classes, offOn], NodeAttribute.Of("axis", 1L)));
    }

    /// <summary>
    /// The upstream gradient times the sample's weight, over the sum of weights for the mean; axis 1 is 1.
    /// </summary>
    private static Term PerSample(RuleContext c)
    {
        var (safe, isIgnored) = Labels(c);
        var one = c.G.Expand(c.G.ScalarLike(c.DY, 1), c.G.Shape(safe));
        var weight = c.G.Term(c.Node.Input(2) is { } weights ? c.G.Gather(weights, safe) : one);
        if (isIgnored is { } ignored)
            weight = Where(ignored, 0, weight);
        if (c.Node.Attributes.String("reduction", "mean") == "mean")
            weight /= Sum(weight);
        return Unsqueeze(weight * c.DY, 1);
    }

    private static (Term Safe, Term? IsIgnored) Labels(RuleContext c)
    {
        var labels = c.X(1);
        if (!c.Node.Attributes.Contains("ignore_index"))
            return (labels, null);
        var isIgnored = Equal(labels, c.Node.Attributes.Int("ignore_index", 0));
        return (Where(isIgnored, 0, labels), isIgnored);
    }
}
