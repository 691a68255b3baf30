using OrtPeft.Adapters;
using OrtPeft.Adapters.Lora;
using OrtPeft.Artifacts;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Compilation.OrtTraining;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Tests.Graphs;

public sealed class CompiledGraphTests
{
    private const string Weight = "layer.weight";

    [Fact]
    public void Contract_OfATrainingGraph_HasTheRoleOfEveryInputAndOutput()
    {
        var peft = PeftModel.Create(Layer(), new LoraConfig { R = 1, LoraDropout = 0.5, TargetModules = ["layer"] });
        var names = peft.Parameters.Select(static p => p.Name).ToArray();

        var training = TrainingGraph.Build(peft, new MeanSquaredError());

        Assert.Equal(
            [
                ("x", ValueRoles.Data),
                (SeededBits.SeedInput, ValueRoles.DropoutSeed),
                (TrainingGraph.Scale, ValueRoles.LossScale),
                ("target", ValueRoles.Data),
                .. names.Select(static n => (n, ValueRoles.Parameter)),
            ],
            training.Contract.Inputs.Select(static i => (i.Name, i.Role)).OrderBy(
                i => Array.IndexOf(names, i.Name)));
        Assert.Equal(
            [
                (TrainingGraph.LossSum, ValueRoles.LossSum, null),
                (TrainingGraph.Count, ValueRoles.LossCount, null),
                .. names.Select(static n => (TrainingGraph.GradientOf(n), ValueRoles.Gradient, n)),
            ],
            training.Contract.Outputs.Select(static o => (o.Name, o.Role, o.Parameter)));
    }

    [Theory]
    [InlineData(TrainingGraph.Scale)]
    [InlineData(SeededBits.SeedInput)]
    public void Contract_WhenTheModelHasAnInputCalledAsOneOfTheLoss_TakesItForData(string name)
    {
        var evaluation = EvaluationGraph.Build(Layer(name), new MeanSquaredError());

        Assert.Equal(
            ["x", name, "target"],
            evaluation.Contract.Inputs.Where(static i => i.Role == ValueRoles.Data).Select(static i => i.Name));
    }

    [Fact]
    public void Build_WhenTheModelHasAnInputCalledAsTheSeed_IsRefused()
    {
        var peft = PeftModel.Create(
            Layer(SeededBits.SeedInput), new LoraConfig { R = 1, LoraDropout = 0.5, TargetModules = ["layer"] });

        var error = Assert.Throws<GraphException>(() => TrainingGraph.Build(peft, new MeanSquaredError()));

        Assert.Contains(SeededBits.SeedInput, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void MeanLoss_WhenTheModelHasAnInputCalledAsTheScale_LeavesItAnInput()
    {
        var evaluation = EvaluationGraph.Build(Layer(TrainingGraph.Scale), new MeanSquaredError());

        var mean = MeanLoss.Replace(evaluation);

        Assert.Contains(mean.Graph.Inputs, static i => i.Name == TrainingGraph.Scale);
    }

    /// <summary>y = x·W, times another input of that name, if any.</summary>
    private static Model Layer(string? factor = null)
    {
        var model = new Model(opset: 21);
        var g = new GraphBuilder(model.Graph, new ShapeInference(21));
        var x = model.Graph.AddInput("x", ElementType.Float, [Dim.Named("batch"), 2]);
        var weight = model.Graph.AddInitializer(Weight, Tensor.Of<float>([1, 2, 3, 4], [2, 2]));
        var y = g.Gemm(x, weight);
        if (factor is not null)
            y = g.Mul(y, model.Graph.AddInput(factor, ElementType.Float, []));
        model.Graph.AddOutput(y);
        return model;
    }
}
