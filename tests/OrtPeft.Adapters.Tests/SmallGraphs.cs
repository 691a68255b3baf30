using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Tests;

/// <summary>Small graphs built by hand; x is <c>[batch, 2] float32</c>.</summary>
internal static class SmallGraphs
{
    /// <summary>Builds a graph around an input <c>x</c>; what the function returns is the output.</summary>
    public static Model Of(Func<GraphBuilder, Value, Value> build)
    {
        var model = new Model(opset: 21);
        var g = new GraphBuilder(model.Graph, new ShapeInference(21));
        var x = model.Graph.AddInput("x", ElementType.Float, [Dim.Named("batch"), 2]);
        model.Graph.AddOutput(build(g, x));
        return model;
    }

    /// <summary>y = x·Wᵀ + b as PyTorch exports a Linear(2, 4).</summary>
    public static Model Linear() => Of(
        static (g, x) => g.Gemm(x, Weight(g, "linear.weight", 4, 2), Bias(g, "linear.bias"), transB: true));

    /// <summary>A matrix of 1, 2, 3, … as an initializer.</summary>
    public static Value Weight(GraphBuilder g, string name, int rows, int columns)
    {
        var values = Enumerable.Range(1, rows * columns).Select(static i => (float)i).ToArray();
        return g.Graph.AddInitializer(name, Tensor.Of<float>(values, [rows, columns]));
    }

    /// <summary>A vector of four numbers.</summary>
    public static Value Bias(GraphBuilder g, string name) =>
        g.Graph.AddInitializer(name, Tensor.Vector(0.5f, -0.5f, 0.25f, 0));
}
