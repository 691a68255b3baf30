using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Merging;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Adapters.Tests.Merging;

/// <summary>Merges into weights of half precision.</summary>
public sealed class HalfPrecisionTests
{
    [Theory]
    [InlineData(ElementType.Float16, 1.0 / 2048)]
    [InlineData(ElementType.BFloat16, 1.0 / 256)]
    public void MergeAs_RoundsOnceToTheWeightsOwnType(ElementType type, double unit)
    {
        var peft = Adapted(Layer(type));
        var exact = peft.MergeAs(MergeForm.Float32);

        var outcome = peft.MergeAs(MergeForm.Float);

        var weight = outcome.Model.Graph.Find("linear.weight")!.Initializer!;
        Assert.True(outcome.IsSourceGraph);
        Assert.Equal((type, 1, unit), (weight.Type, outcome.Rounded, outcome.UnitRoundoff));
        Assert.InRange(outcome.RoundingError, 1e-6, 10);
        var sums = exact.Model.Graph.Find("linear.weight")!.Initializer!;
        Assert.Equal(ElementType.Float, sums.Type);
        Assert.All(
            weight.ToFloat32().Zip(sums.ToFloat32()),
            pair => Assert.InRange(Math.Abs(pair.First - pair.Second), 0, unit * Math.Abs(pair.Second)));
    }

    [Fact]
    public void MergeAs_WithFloat32Asked_RoundsNothing()
    {
        var outcome = Adapted(Layer(ElementType.Float16)).MergeAs(MergeForm.Float32);

        Assert.False(outcome.IsSourceGraph);
        Assert.Equal((0, 0.0), (outcome.Rounded, outcome.RoundingError));
    }

    [Fact]
    public void MergeAs_OfFloat32_KeepsTheGraphWhateverIsAsked() =>
        Assert.True(Adapted(Layer(ElementType.Float)).MergeAs(MergeForm.Float32).IsSourceGraph);

    /// <summary>Scales of half precision stand for a weight of half precision.</summary>
    [Theory]
    [InlineData(MergeForm.Float, 0)]
    [InlineData(MergeForm.Requantized, 1)]
    public void MergeAs_OfIntegersWithScalesOfHalfPrecision_KeepsItsType(MergeForm form, int requantized)
    {
        var outcome = Adapted(QuantizedLayer()).MergeAs(form);

        Assert.True(outcome.IsSourceGraph);
        Assert.Equal((requantized, 1 - requantized), (outcome.Requantized, outcome.Rounded));
        Assert.Contains(outcome.Model.Graph.Initializers, static v => v.Type == ElementType.Float16);
        Assert.DoesNotContain(outcome.Model.Graph.Initializers, static v => v.Type == ElementType.Float);
    }

    /// <summary>What is reported is what the stored integers and scales, rounded as they are, lose; other layers stay.
    /// </summary>
    [Theory]
    [InlineData(ElementType.Float16, false)]
    [InlineData(ElementType.Float16, true)]
    [InlineData(ElementType.BFloat16, false)]
    [InlineData(ElementType.BFloat16, true)]
    public void MergeAs_OfInt4BlocksWithScalesOfHalfPrecision_ReportsWhatIsStored(ElementType type, bool hasZeroPoints)
    {
        var given = Int4Layers(type, hasZeroPoints);
        var before = NumbersOf(given, "linear");
        var peft = Adapted(given.Clone());
        var exact = peft.MergeAs(MergeForm.Float32).Model.Graph.Find("linear.weight")!.Initializer!.ToFloat32();

        var outcome = peft.MergeAs(MergeForm.Requantized);

        var stored = NumbersOf(outcome.Model, "linear");
        Assert.Equal((1, 0), (outcome.Requantized, outcome.Rounded));
        Assert.Equal(Distance(stored, exact) / Distance(exact, before), outcome.RelativeError, 1e-4);
        Assert.InRange(outcome.RelativeError, 1e-3, 1);
        Assert.Equal(
            given.Graph.Initializers.Select(static v => (v.Name, v.Initializer!.Type, string.Join(',', v.Initializer.Dims))),
            outcome.Model.Graph.Initializers.Select(static v => (v.Name, v.Initializer!.Type, string.Join(',', v.Initializer.Dims))));
        Assert.All(
            given.Graph.Initializers.Where(static v => v.Name.StartsWith("other", StringComparison.Ordinal)),
            v => Assert.Equal(BytesOf(v), BytesOf(outcome.Model.Graph.Find(v.Name)!)));
    }

    private static byte[] BytesOf(Value value) => value.Initializer!.Data.Slice(0, (int)value.Initializer.Data.Length).ToArray();

    private static double Distance(float[] left, float[] right) =>
        Math.Sqrt(left.Zip(right).Sum(static p => ((double)p.First - p.Second) * ((double)p.First - p.Second)));

    private static float[] NumbersOf(Model model, string layer) =>
        BlockMatMul.Of(model.Graph.Nodes.Single(n => n.Name == layer))!.ToFloat32().ToFloat32();

    /// <summary>Two products of a row of 32 numbers with four columns each, in blocks of 16.</summary>
    private static Model Int4Layers(ElementType type, bool hasZeroPoints)
    {
        var model = new Model(opset: 21);
        model.Opsets["com.microsoft"] = 1;
        var graph = model.Graph;
        var x = graph.AddInput("x", type, [Dim.Named("batch"), 32]);
        var random = new Random(5);
        foreach (var layer in (string[])["linear", "other"])
        {
            var (packed, zeros) = (new byte[4 * 2 * 8], new byte[4]);
            random.NextBytes(packed);
            random.NextBytes(zeros);
            float[] scales = [.. Enumerable.Range(0, 8).Select(_ => 0.05f + (0.1f * random.NextSingle()))];
            List<Value?> inputs =
            [
                x,
                graph.AddInitializer($"{layer}.weight_Q4", Tensor.Of<byte>(packed, [4, 2, 8])),
                graph.AddInitializer($"{layer}.weight_scales", Narrowing.ToTensor(scales, type, [8])),
            ];
            if (hasZeroPoints)
                inputs.Add(graph.AddInitializer($"{layer}.weight_zp", Tensor.Vector(zeros)));
            NodeAttribute[] attributes =
            [
                NodeAttribute.Of("K", 32L), NodeAttribute.Of("N", 4L), NodeAttribute.Of("bits", 4L), NodeAttribute.Of("block_size", 16L),
            ];
            var y = graph.AddNode("MatMulNBits", inputs, [$"{layer}/y"], attributes, "com.microsoft", layer).Output;
            (y.Type, y.Shape) = (type, [Dim.Named("batch"), 4]);
            graph.AddOutput(y);
        }

        return model;
    }

    private static PeftModel Adapted(Model model) => PeftModel.Create(
        model, new LoraConfig { R = 1, TargetModules = ["linear"], InitLoraWeights = false });

    private static Model Layer(ElementType type) => Of(type, static (g, type) => g.Graph.AddInitializer(
        "linear.weight", Narrowing.ToTensor([1, 2, 3, 4, 5, 6, 7, 8], type, [2, 4]).WithName("linear.weight")));

    private static Model QuantizedLayer() => Of(ElementType.Float16, static (g, type) => g.Op(
        "DequantizeLinear",
        [
            g.Graph.AddInitializer("linear.weight_quantized", Tensor.Of<sbyte>([1, 2, 3, 4, 5, 6, 7, 127], [2, 4])),
            g.Graph.AddInitializer("linear.weight_scale", Narrowing.ToTensor([0.5f, 0.25f, 1, 2], type, [4])),
        ],
        NodeAttribute.Of("axis", 1L)));

    private static Model Of(ElementType type, Func<GraphBuilder, ElementType, Value> weight)
    {
        var model = new Model(opset: 21);
        var g = new GraphBuilder(model.Graph, new ShapeInference(21));
        var x = model.Graph.AddInput("x", type, [Dim.Named("batch"), 2]);
        model.Graph.AddOutput(g.Op("MatMul", x, weight(g, type)));
        return model;
    }
}
