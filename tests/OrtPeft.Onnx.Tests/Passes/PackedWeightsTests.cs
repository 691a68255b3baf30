using Microsoft.ML.OnnxRuntime;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Onnx.Serialization;
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
            foreach (var bits in new[] { 2, 4, 8 })
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

    /// <summary>GPTQ with act-order: an element's scale is its group's, wherever it lies. HQQ: zero points of any value.
    /// </summary>
    [Theory]
    [InlineData("g_idx")]
    [InlineData("zero points of any value")]
    [InlineData("both")]
    public void Run_WhereIntegersInBlocksDoNotSayTheWeight_MakesItFloat(string what)
    {
        var model = Build(4, 16, 64, hasZeroPoints: false, hasBias: false);
        if (what is "both" or "zero points of any value")
            SetInput(model, 3, Tensor.Vector<float>([.. Enumerable.Range(0, Outputs * 4).Select(static i => 7.3f + (i % 3))]));
        if (what is "both" or "g_idx")
            SetInput(model, 4, Tensor.Vector<int>([.. Enumerable.Range(0, 64).Select(static i => (i * i) % 11 % 4)]));

        SameResults.Check(model, PackedWeights.Run, Input(64), 1e-4f);

        Assert.DoesNotContain(model.Graph.Nodes, static n => n.Domain == Domain);
        Assert.Equal(ElementType.Float, model.Graph.Find("h.0.attn.c_attn.weight")!.Initializer!.Type);
    }

    /// <summary>Groups in order are what blocks are without them, and whole zero points are integers.</summary>
    [Fact]
    public void Run_WhereGroupsAndZeroPointsAreOrdinary_KeepsTheBits()
    {
        var model = Build(4, 16, 64, hasZeroPoints: false, hasBias: false);
        SetInput(model, 3, Tensor.Vector<float>([.. Enumerable.Range(0, Outputs * 4).Select(static i => 5f + (i % 3))]));
        SetInput(model, 4, Tensor.Vector<int>([.. Enumerable.Range(0, 64).Select(static i => i / 16)]));

        SameResults.Check(model, PackedWeights.Run, Input(64), 1e-4f);

        Assert.NotNull(QuantizedWeight.Find(model.Graph.Find("h.0.attn.c_attn.weight")!));
    }

    /// <summary>With groups, ONNX Runtime 1.31 reads packed zero points in another way than it documents: which of the
    /// two is meant, nobody can tell.</summary>
    [Fact]
    public void Run_WhereGroupsMeetPackedZeroPoints_LeavesTheNode()
    {
        var model = Build(4, 16, 64, hasZeroPoints: true, hasBias: false);
        SetInput(model, 4, Tensor.Vector<int>([.. Enumerable.Range(0, 64).Select(static i => i / 16)]));

        PackedWeights.Run(model);

        Assert.Equal("MatMulNBits", Assert.Single(model.Graph.Nodes).OpType);
    }

    /// <summary>The same bytes with other scales are another weight.</summary>
    [Fact]
    public void Run_WhenTwoNodesShareBytesButNotScales_UnpacksBoth()
    {
        var model = Build(4, 32, 64, hasZeroPoints: false, hasBias: false);
        var (graph, first) = (model.Graph, model.Graph.Nodes[0]);
        var scales = graph.AddInitializer("others", Tensor.Vector<float>([.. Enumerable.Repeat(0.5f, Outputs * 2)]));
        var second = graph.AddNode(
            "MatMulNBits", [first.Inputs[0], first.Inputs[1], scales], ["second"], [.. first.Attributes], Domain, "second");
        (second.Output.Type, second.Output.Shape) = (ElementType.Float, [2, 3, Outputs]);
        graph.AddOutput(second.Output);

        SameResults.Check(model, PackedWeights.Run, Input(64), 1e-4f);
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

    /// <summary>The operator's definition has them, ONNX Runtime's kernel has not.</summary>
    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    public void Run_OnBitsThatNoKernelReads_NamesTheNodeAndThem(int bits)
    {
        var model = Build(bits, 32, 64, hasZeroPoints: false, hasBias: false);

        var refused = Assert.Throws<OnnxRuntimeException>(() => new InferenceSession(OnnxFile.ToBytes(model)).Dispose());
        var error = Assert.Throws<UnsupportedOpException>(() => PackedWeights.Run(model));

        Assert.Contains("quantization is supported for MatMulNBits", refused.Message, StringComparison.Ordinal);
        Assert.Contains("\"/h.0/attn/c_attn/MatMul_Q4\"", error.Message, StringComparison.Ordinal);
        Assert.Contains($"{bits} bits", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_WhenTheWeightHasAnotherForm_LeavesTheNode()
    {
        var model = Build(4, 32, 64, hasZeroPoints: false, hasBias: false);
        model.Graph.Nodes[0].Attributes.Set(NodeAttribute.Of("block_size", 16L));

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

    private static void SetInput(Model model, int input, Tensor content) =>
        model.Graph.Nodes[0].SetInput(input, model.Graph.AddInitializer($"input {input}", content));

    private static Dictionary<string, OrtValue> Input(int features)
    {
        float[] numbers = [.. Enumerable.Range(0, 6 * features).Select(static i => MathF.Sin(i * 0.7f))];
        return new() { ["x"] = OrtValue.CreateTensorValueFromMemory(numbers, [2, 3, features]) };
    }
}
