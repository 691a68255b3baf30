using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Tests.Passes.Idioms;

/// <summary>A graph around one idiom: x is <c>[batch, 3, 4] float32</c>.</summary>
internal static class IdiomGraph
{
    public static readonly IReadOnlyDictionary<string, long> Symbols = new Dictionary<string, long> { ["batch"] = 2 };

    public static Model Of(Func<GraphBuilder, Value, Value> build)
    {
        var model = new Model(21);
        var g = new GraphBuilder(model.Graph, new ShapeInference(21));
        var x = model.Graph.AddInput("x", ElementType.Float, [Dim.Named("batch"), 3, 4]);
        model.Graph.AddOutput(build(g, x));
        return model;
    }

    /// <summary>A constant vector of four.</summary>
    public static Value Vector(GraphBuilder g) => g.Constant(Tensor.Vector(0.5f, 1, -1, 2));

    /// <summary>A number as exporters write it: of shape [1], or in float64 behind a cast.</summary>
    public static Value Number(GraphBuilder g, double number, string form) => form switch
    {
        "vector" => g.Constant(Tensor.Vector((float)number)),
        "double" => g.Op(
            "Cast", [g.Constant(Tensor.Scalar(number))], NodeAttribute.Of("to", (long)ElementType.Float)),
        _ => g.Scalar(ElementType.Float, number),
    };
}
