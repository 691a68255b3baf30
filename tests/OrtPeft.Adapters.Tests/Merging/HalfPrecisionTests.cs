using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Merging;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
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
