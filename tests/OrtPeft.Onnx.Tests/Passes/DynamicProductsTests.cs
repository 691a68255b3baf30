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

    /// <summary>Layers that read the same rounded input keep one quantiser when ONNX Runtime fuses the rest.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Run_OnProductsThatShareAQuantiser_MakesProductsOfFloats(bool hasBias)
    {
        var model = new Model(21);
        model.Opsets["com.microsoft"] = 1;
        var graph = model.Graph;
        var x = graph.AddInput("x", ElementType.Float, [Dim.Named("batch"), 2]);
        var quantized = graph.AddNode("DynamicQuantizeLinear", [x], ["q", "s", "z"], []).Outputs;
        foreach (var name in (string[])["a", "b"])
        {
            var weight = graph.AddInitializer($"{name}_quantized", Tensor.Of<byte>([2, 3, 4, 5, 6, 7], [2, 3]));
            var zero = graph.AddInitializer($"{name}_zero", Tensor.Of<byte>([3], [1]));
            var scale = graph.AddInitializer($"{name}_scale", Tensor.Of<float>(Columns, [3]));
            var bias = hasBias ? graph.AddInitializer($"{name}_bias", Tensor.Vector(1f, 2, 3)) : null;
            graph.AddOutput(graph.AddNode(
                "MatMulIntegerToFloat", [quantized[0], weight, quantized[1], scale, quantized[2], zero, bias], [name], [], "com.microsoft").Output);
        }

        CanonicalForm.Apply(model);

        var products = model.Graph.Nodes.Where(static n => n.Is("MatMul")).ToArray();
        Assert.Equal(2, products.Length);
        Assert.All(products, p => Assert.Equal(
            Enumerable.Range(0, 6).Select(static i => (i - 1) * Columns[i % 3]),
            OrtPeft.Onnx.Quantization.QuantizedWeight.Find(p.Inputs[1]!)!.ToFloat32().ToFloat32()));
        Assert.Equal(hasBias ? 2 : 0, model.Graph.Nodes.Count(static n => n.Is("Add")));
        Assert.DoesNotContain(model.Graph.Nodes, static n => n.Is("DynamicQuantizeLinear"));
    }

    [Theory]
    [InlineData("DynamicQuantizeMatMul", "com.microsoft", 3)]
    [InlineData("MatMulIntegerToFloat", "com.microsoft", 4)]
    [InlineData("MatMulInteger", "", 2)]
    public void Run_OnTooFewInputs_SaysWhichIsMissing(string op, string domain, int needed)
    {
        var model = new Model(21);
        model.Opsets["com.microsoft"] = 1;
        var x = model.Graph.AddInput("x", ElementType.Float, [Dim.Named("batch"), 2]);
        var node = model.Graph.AddNode(op, [x], ["y"], [], domain);
        node.Name = "/layer/lonely";
        model.Graph.AddOutput(node.Output);

        var refusal = Assert.Throws<GraphException>(() => CanonicalForm.Apply(model));

        Assert.Contains($"/layer/lonely\" (opset 21): lacks input 1 of the {needed}", refusal.Message, StringComparison.Ordinal);
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
