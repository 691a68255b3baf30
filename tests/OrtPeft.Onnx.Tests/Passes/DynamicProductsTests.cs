using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Tests.Passes;

/// <summary>Products that ONNX Runtime's dynamic quantiser made integers.</summary>
public sealed class DynamicProductsTests
{
    private static readonly float[] Plain = [0.5f];
    private static readonly float[] Columns = [0.5f, 0.25f, 2];

    [Theory]
    [InlineData(false, false, false)]
    [InlineData(true, false, false)]
    [InlineData(true, true, false)]
    [InlineData(false, true, true)]
    public void Run_MakesAProductOfFloats(bool byColumn, bool isSigned, bool isFused)
    {
        var model = Integers(byColumn ? Columns : Plain, isSigned, isFused, isFused ? "x" : "/model/layers/0/mlp/up_proj/MatMul_quant");

        CanonicalForm.Apply(model);

        var product = Assert.Single(model.Graph.Nodes, static n => n.Is("MatMul"));
        var weight = OrtPeft.Onnx.Quantization.QuantizedWeight.Find(product.Inputs[1]!)!.ToFloat32();
        var zero = isSigned ? 1 : 3;
        var scales = byColumn ? Columns : [0.5f, 0.5f, 0.5f];
        Assert.Equal(Enumerable.Range(0, 6).Select(i => (i + 2 - zero) * scales[i % 3]), weight.ToFloat32());
        Assert.DoesNotContain(model.Graph.Nodes, DynamicProducts.Is);
        Assert.Equal("y", Assert.Single(model.Graph.Outputs).Name);
        if (!isFused)
            Assert.StartsWith("/model/layers/0/mlp/up_proj/", product.Name, StringComparison.Ordinal);
    }

    /// <summary>What is read before it is scaled is another function.</summary>
    [Fact]
    public void Run_WhenTheIntegersAreReadToo_Stays()
    {
        var model = Integers(Plain, isSigned: false, isFused: false, "p");
        model.Graph.AddOutput(model.Graph.Nodes.First(static n => n.Is("MatMulInteger")).Output);

        CanonicalForm.Apply(model);

        Assert.Contains(model.Graph.Nodes, static n => n.Is("MatMulInteger"));
    }

    [Fact]
    public void ApplyRounding_KeepsThem()
    {
        var model = Integers(Plain, isSigned: false, isFused: false, "p");

        CanonicalForm.ApplyRounding(model);

        Assert.Contains(model.Graph.Nodes, static n => n.Is("MatMulInteger"));
    }

    private static Model Integers(float[] scales, bool isSigned, bool isFused, string name)
    {
        var model = new Model(21);
        model.Opsets["com.microsoft"] = 1;
        var graph = model.Graph;
        var g = new GraphBuilder(graph, new ShapeInference(21));
        var x = graph.AddInput("x", ElementType.Float, [Dim.Named("batch"), 2]);
        var weight = graph.AddInitializer("w_quantized", isSigned
            ? Tensor.Of<sbyte>([2, 3, 4, 5, 6, 7], [2, 3])
            : Tensor.Of<byte>([2, 3, 4, 5, 6, 7], [2, 3]));
        var zero = graph.AddInitializer("w_zero", isSigned ? Tensor.Of<sbyte>([1], [1]) : Tensor.Of<byte>([3], [1]));
        var scale = graph.AddInitializer("w_scale", Tensor.Of<float>(scales, [scales.Length]));
        if (isFused)
        {
            var y = graph.AddNode("DynamicQuantizeMatMul", [x, weight, scale, zero], ["y"], [], "com.microsoft").Output;
            (y.Type, y.Shape) = (ElementType.Float, [Dim.Named("batch"), 3]);
            graph.AddOutput(y);
            return model;
        }

        var quantized = graph.AddNode("DynamicQuantizeLinear", [x], ["q", "s", "z"], []);
        var product = graph.AddNode("MatMulInteger", [quantized.Outputs[0], weight, quantized.Outputs[2], zero], ["i"], []);
        product.Name = name;
        var result = g.Op("Mul", g.Cast(product.Output, ElementType.Float), g.Op("Mul", quantized.Outputs[1], scale));
        graph.Rename(result, "y");
        graph.AddOutput(result);
        return model;
    }
}
