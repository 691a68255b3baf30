using OrtPeft.Adapters;
using OrtPeft.Adapters.Lora;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Tests.Graphs;

/// <summary>A parameter that moves nothing is named; one with two ways to the loss, one of them a selection, trains.</summary>
public sealed class UnusedParameterTests
{
    [Fact]
    public void ForTraining_WhenTheLossDoesNotDependOnAParameter_NamesIt()
    {
        var peft = Adapted(static (g, first, second) => first, target: "second");

        var error = Assert.Throws<GraphException>(() => Build(peft));

        Assert.Contains("'base_model.model.second.lora_A.weight'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ForTraining_WhenOnlyAMaskDependsOnAParameter_NamesIt()
    {
        var peft = Adapted(
            static (g, first, second) => g.Where(g.Op("Greater", second, g.ScalarLike(second, 0)), first, g.Neg(first)),
            target: "second");

        Assert.Contains("second", Assert.Throws<GraphException>(() => Build(peft)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ForTraining_WhenRoundingStandsBetween_NamesItsNode()
    {
        var peft = Adapted(static (g, first, second) => g.Add(first, g.Op("Floor", second)), target: "second");

        var error = Assert.Throws<UnsupportedOpException>(() => Build(peft));

        Assert.StartsWith("Floor \"", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ForTraining_WhenAMaskReadsItToo_Trains()
    {
        var peft = Adapted(
            static (g, first, second) => g.Where(g.Op("Greater", second, first), second, first), target: "second");

        Assert.Contains(Build(peft).Graph.Outputs, static o => o.Name.Contains("lora_A", StringComparison.Ordinal));
    }

    private static Model Build(PeftModel peft) => TrainingGraph.Build(peft, new MeanSquaredError()).Model;

    private static PeftModel Adapted(Func<GraphBuilder, Value, Value, Value> output, string target)
    {
        var model = new Model(opset: 21);
        var g = new GraphBuilder(model.Graph, new ShapeInference(21));
        var x = model.Graph.AddInput("x", ElementType.Float, [Dim.Named("batch"), 2]);
        Value Layer(string name) => g.Gemm(
            x, model.Graph.AddInitializer($"{name}.weight", Tensor.Of<float>([1, 2, 3, 4], [2, 2])), transB: true);
        var (first, second) = (Layer("first"), Layer("second"));
        model.Graph.AddOutput(output(g, first, second));
        model.Graph.AddOutput(g.Neg(second));
        return PeftModel.Create(model, new LoraConfig { R = 1, TargetModules = [target] });
    }
}
