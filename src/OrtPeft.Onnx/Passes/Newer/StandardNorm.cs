using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes.Contrib;

namespace OrtPeft.Onnx.Passes.Newer;

/// <summary>
/// <c>RMSNormalization</c> of opset 23 as ONNX Runtime's older operator, whose scale has the normalised axes' shape
/// exactly where the standard's broadcasts to it.
/// </summary>
/// <seealso href="https://onnx.ai/onnx/operators/onnx__RMSNormalization.html"/>
internal static class StandardNorm
{
    public static Value?[] Of(Node node, GraphBuilder g)
    {
        var (x, scale) = (node.Inputs[0]!, node.Inputs[1]!);
        var axis = node.Attributes.Int("axis", -1);
        var rank = x.Shape?.Rank ?? throw ContribOps.Refusal(node, $"an input {x} of unknown rank");
        var first = axis < 0 ? axis + rank : axis;
        var normalized = x.Shape.Skip((int)first).ToArray();
        if (scale.Shape?.SurelyEquals(normalized) is not true)
            scale = g.Expand(scale, g.Op("Slice", g.Shape(x), g.Int64(first), g.Int64(rank)));
        return [RootMeanSquare.Normalize(g, x, scale, node.Attributes.Float("epsilon", 1e-5f), axis)];
    }
}
