using Microsoft.ML.OnnxRuntime;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Tests.Passes;

public sealed class PackedWeightsTests
{
    private const string Domain = "com.microsoft";
    private const int Outputs = 6;

    public static TheoryData<int, int, int, bool, bool> Cases
    {
        get
        {
            var cases = new TheoryData<int, int, int, bool, bool>();
            foreach (var bits in new[] { 4, 8 })
                foreach (var size in new[] { 16, 32, 128 })
                    foreach (var features in new[] { 64, 80 }) // 80 ends in a part of a block
                        foreach (var hasZeroPoints in new[] { false, true })
                            cases.Add(bits, size, features, hasZeroPoints, hasZeroPoints == (size == 32));
            return cases;
        }
    }

    /// <summary>ONNX Runtime's kernel at accuracy level 1, float32; its sums have another order.</summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void Run_KeepsWhatOnnxRuntimesKernelComputes(int bits, int size, int features, bool hasZeroPoints, bool hasBias)
    {
        var model = Build(bits, size, features, hasZeroPoints, hasBias);

        SameResults.Check(model, PackedWeights.Run, Input(features), 1e-4f); // of results up to some 100

        Assert.DoesNotContain(model.Graph.Nodes, static n => n.Domain == Domain);
        var weight = QuantizedWeight.Find(model.Graph.Find("h.0.attn.c_attn.weight")!)!;
        Assert.Equal([features, Outputs], weight.Dims.AsEnumerable());
        Assert.StartsWith("/h.0/attn/c_attn/", weight.Node.Output.Uses[0].Node.Name, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a.weight_Q4", "a.weight")]
    [InlineData("a.weight_Q8G32", "a.weight")]
    [InlineData("a.weight_quant", "a.weight")]
    [InlineData("a.MatMul.weight_Q4", "a.weight")]
    [InlineData("a.MatMulNBits.qweight", "a.weight")]
    [InlineData("a.qweight", "a.weight")]
    public void Run_GivesTheWeightItsFloatName(string packed, string name)
    {
        var model = Build(4, 32, 64, hasZeroPoints: false, hasBias: false);
        model.Graph.Rename(model.Graph.Nodes[0].Inputs[1]!, packed);

        PackedWeights.Run(model);

        Assert.NotNull(QuantizedWeight.Find(model.Graph.Find(name)!));
    }

    [Fact]
    public void Run_WhenTwoNodesShareAWeight_UnpacksItOnce()
    {
        var model = Build(4, 32, 64, hasZeroPoints: true, hasBias: false);
        var (graph, first) = (model.Graph, model.Graph.Nodes[0]);
        graph.AddOutput(
            graph.AddNode("MatMulNBits", first.Inputs, ["second"], [.. first.Attributes], Domain, "second").Output);

        PackedWeights.Run(model);

        Assert.Single(model.Graph.Nodes, static n => n.Is("DequantizeLinear"));
        Assert.Equal(2, model.Graph.Nodes.Count(static n => n.Is("MatMul")));
    }

    [Theory]
    [InlineData("bits", 2L)]
    [InlineData("block_size", 16L)]
    public void Run_WhenTheWeightHasAnotherForm_LeavesTheNode(string attribute, long value)
    {
        var model = Build(4, 32, 64, hasZeroPoints: false, hasBias: false);
        model.Graph.Nodes[0].Attributes.Set(NodeAttribute.Of(attribute, value));

        PackedWeights.Run(model);

        Assert.Equal("MatMulNBits", Assert.Single(model.Graph.Nodes).OpType);
    }

    private static Model Build(int bits, int size, int features, bool hasZeroPoints, bool hasBias)
    {
        var model = new Model(opset: 21);
        model.Opsets[Domain] = 1;
        var graph = model.Graph;
        var (blocks, random) = ((features + size - 1) / size, new Random(3));
        var packed = new byte[Outputs * blocks * size * bits / 8];
        random.NextBytes(packed);
        var zeroPoints = new byte[Outputs * (((blocks * bits) + 7) / 8)];
        random.NextBytes(zeroPoints);
        float[] scales = [.. Enumerable.Range(0, Outputs * blocks).Select(static i => 0.01f * (1 + (i % 5)))];
        var inputs = new Value?[hasBias ? 6 : hasZeroPoints ? 4 : 3];
        inputs[0] = graph.AddInput("x", ElementType.Float, [2, 3, features]);
        inputs[1] = graph.AddInitializer(
            "h.0.attn.c_attn.weight_Q4", Tensor.Of<byte>(packed, [Outputs, blocks, size * bits / 8]));
        inputs[2] = graph.AddInitializer("scales", Tensor.Vector(scales));
        if (hasZeroPoints)
            inputs[3] = graph.AddInitializer("zero_points", Tensor.Vector(zeroPoints));
        if (hasBias)
            inputs[5] = graph.AddInitializer("bias", Tensor.Vector<float>([1, -1, 2, -2, 3, -3]));
        NodeAttribute[] attributes =
        [
            NodeAttribute.Of("K", (long)features), NodeAttribute.Of("N", (long)Outputs), NodeAttribute.Of("bits", (long)bits),
            NodeAttribute.Of("block_size", (long)size), NodeAttribute.Of("accuracy_level", 1L),
        ];
        var node = graph.AddNode("MatMulNBits", inputs, ["y"], attributes, Domain, "/h.0/attn/c_attn/MatMul_Q4");
        (node.Output.Type, node.Output.Shape) = (ElementType.Float, [2, 3, Outputs]);
        graph.AddOutput(node.Output);
        return model;
    }

    private static Dictionary<string, OrtValue> Input(int features)
    {
        float[] numbers = [.. Enumerable.Range(0, 6 * features).Select(static i => MathF.Sin(i * 0.7f))];
        return new() { ["x"] = OrtValue.CreateTensorValueFromMemory(numbers, [2, 3, features]) };
    }
}
