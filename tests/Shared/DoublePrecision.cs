using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Testing;

/// <summary>
/// A finished float32 graph as float64: the same operators on wider numbers, but for <c>OneHot</c> of zeros and ones,
/// which has no float64 kernel on the CPU, and for RMS normalisation, whose statistic is float32 always. Run it without
/// optimisation: fused operators have none either.
/// </summary>
internal static class DoublePrecision
{
    public static Model Of(Model model)
    {
        var copy = model.Clone();
        foreach (var value in copy.Graph.Values.Where(static v => v.Type == ElementType.Float).ToArray())
        {
            if (value.Initializer is { } content)
                copy.Graph.SetInitializer(value, Of(content));
            value.Type = ElementType.Double;
        }

        foreach (var node in copy.Graph.Nodes)
        {
            if (node.Is("Cast") && node.Attributes.Int("to", 0) == (long)ElementType.Float)
                node.Attributes.Set(NodeAttribute.Of("to", (long)ElementType.Double));
            if (node.Is("ConstantOfShape") && node.Attributes["value"].AsTensor() is { Type: ElementType.Float } fill)
                node.Attributes.Set(NodeAttribute.Of("value", Of(fill)));
        }

        foreach (var node in copy.Graph.Nodes.Where(static n => n.Is("OneHot")).ToArray())
            LowerOneHot(copy, node);
        foreach (var node in copy.Graph.Nodes.Where(static n => n.Is("SimplifiedLayerNormalization")).ToArray())
            LowerRmsNormalization(copy, node);
        return copy;
    }

    public static Tensor Of(Tensor tensor) =>
        Of(Array.ConvertAll(tensor.ToFloat32(), static v => (double)v), tensor);

    /// <summary>Numbers in the shape of a tensor.</summary>
    public static Tensor Of(double[] values, Tensor like) => Tensor.Of<double>(values, [.. like.Dims]);

    private static void LowerOneHot(Model model, Node node)
    {
        var g = new GraphBuilder(model.Graph, new ShapeInference(model.Opset)) { Before = node };
        var classes = g.Op("Range", g.Int64Scalar(0), node.Inputs[1]!, g.Int64Scalar(1));
        var isHot = g.Op("Equal", g.Unsqueeze(node.Inputs[0]!, -1), classes);
        model.Graph.ReplaceAllUsesWith(node.Output, g.Cast(isHot, ElementType.Double));
        model.Graph.Remove(node);
    }

    private static void LowerRmsNormalization(Model model, Node node)
    {
        var g = new GraphBuilder(model.Graph, new ShapeInference(model.Opset)) { Before = node };
        var (x, epsilon) = (node.Inputs[0]!, node.Attributes.Float("epsilon", 1e-5f));
        var square = g.ReduceMean(g.Mul(x, x), [node.Attributes.Int("axis", -1)]);
        var inverse = g.Op("Reciprocal", g.Op("Sqrt", g.Add(square, g.Scalar(ElementType.Double, epsilon))));
        model.Graph.ReplaceAllUsesWith(node.Output, g.Mul(g.Mul(x, inverse), node.Inputs[1]!));
        if (node.Outputs.Count > 1)
            model.Graph.ReplaceAllUsesWith(node.Outputs[1], inverse);
        model.Graph.Remove(node);
    }
}
