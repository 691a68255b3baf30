using OrtPeft.Onnx.Building;

namespace OrtPeft.Onnx.Passes.Contrib;

/// <summary>
/// y = x / √(mean(x²) + ε) · scale over the axes from <c>axis</c> on, as <c>SimplifiedLayerNormalization</c>: the one
/// form of it that every ONNX Runtime since 1.19 runs in models of opset 21. The standard's own operator came with
/// opset 23.
/// </summary>
/// <seealso href="https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md"/>
internal static class RootMeanSquare
{
    public const string OpType = "SimplifiedLayerNormalization";

    /// <summary>The normalised value, <c>[…, width]</c>.</summary>
    public static Value Normalize(GraphBuilder g, Value x, Value scale, double epsilon, long axis = -1) =>
        Normalize(g, x, scale, epsilon, axis, outputs: 1)[0];

    /// <summary>The normalised value and, on request, 1/√(mean(x²) + ε), <c>[…, 1] float32</c>.</summary>
    public static IReadOnlyList<Value> Normalize(
        GraphBuilder g, Value x, Value scale, double epsilon, long axis, int outputs) =>
        g.Ops(
            OpType,
            outputs,
            [x, scale],
            [NodeAttribute.Of("axis", axis), NodeAttribute.Of("epsilon", (float)epsilon)]);
}
