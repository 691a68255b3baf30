using OrtPeft.Adapters.Lora;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Lora;

/// <summary>Linear(2, 4) with r = 1, alpha = 4 and dropout 0.1.</summary>
public sealed class SmallestCaseTests
{
    private static readonly LoraConfig Config =
        new() { R = 1, LoraAlpha = 4, LoraDropout = 0.1, TargetModules = ["linear"], InitLoraWeights = false };

    private static readonly Dictionary<string, Tensor> Data = new()
    {
        ["x"] = Tensor.Of([1f, 0, 0, 1, 1, 1, 1, -1], [4, 2]),
        ["target"] = Tensor.Of([2f, 3, 5, 7, 2, 4, 6, 8, 4, 7, 11, 15, 0, -1, -1, -1], [4, 4]),
        [TrainingGraph.Scale] = Tensor.Scalar(1f / 16),
        [SeededBits.SeedInput] = Tensor.Scalar(12345L),
    };

    [Fact]
    public void Create_WhenLinear_HasOneRowAndOneColumn()
    {
        var peft = PeftModel.Create(SmallGraphs.Linear(), Config);

        Assert.Equal(
            ["base_model.model.linear.lora_A.weight", "base_model.model.linear.lora_B.weight"], peft.GetWeights().Keys);
        Assert.Equal([[1L, 2], [4, 1]], peft.Parameters.Select(static p => p.Value.Initializer!.Dims.ToArray()));
        Assert.Equal(
            "trainable params: 6 || all params: 18 || trainable%: 33.3333", peft.DescribeTrainableParameters());
        Assert.False(((LoraConfig)peft.Config).FanInFanOut);
    }

    /// <summary>
    /// The loss is quadratic in A and in B, so central differences have rounding errors only: with a step of 1/32,
    /// 2⁻²⁴ · 32 of a loss sum of about 500.
    /// </summary>
    [Fact]
    public void Gradient_WhenDropoutIsLive_IsTheCentralDifference()
    {
        const float H = 1 / 32f;
        var peft = PeftModel.Create(SmallGraphs.Linear(), Config);
        var graph = TrainingGraph.Build(peft, new MeanSquaredError()).Model;

        var outputs = OnnxRun.Of(graph, Feeds(peft));

        foreach (var parameter in peft.GetWeights())
        {
            var gradient = outputs[TrainingGraph.GradientOf(parameter.Key)].ToFloat32();
            for (var i = 0; i < gradient.Length; i++)
            {
                var difference = Loss(graph, peft, parameter, i, H) - Loss(graph, peft, parameter, i, -H);
                Assert.Equal(difference / (2 * H) / 16, gradient[i], 1e-3);
            }
        }
    }

    [Fact]
    public void ForTraining_WhenSeedDiffers_DropsOtherFeatures()
    {
        var peft = PeftModel.Create(SmallGraphs.Linear(), Config with { LoraDropout = 0.5 });
        var graph = TrainingGraph.Build(peft, new MeanSquaredError()).Model;
        var feeds = Feeds(peft);

        var losses = Enumerable.Range(0, 8).Select(seed =>
        {
            feeds[SeededBits.SeedInput] = Tensor.Scalar((long)seed);
            return OnnxRun.Of(graph, feeds)[TrainingGraph.LossSum].ToFloat32()[0];
        });

        Assert.True(losses.Distinct().Count() > 4);
    }

    private static Dictionary<string, Tensor> Feeds(PeftModel peft)
    {
        var feeds = new Dictionary<string, Tensor>(Data);
        foreach (var (name, tensor) in peft.GetWeights())
            feeds[name] = tensor;
        return feeds;
    }

    private static double Loss(Model graph, PeftModel peft, KeyValuePair<string, Tensor> parameter, int index, float by)
    {
        var values = parameter.Value.ToFloat32();
        values[index] += by;
        var feeds = Feeds(peft);
        feeds[parameter.Key] = Tensor.Of<float>(values, parameter.Value.Dims.AsSpan());
        return OnnxRun.Of(graph, feeds)[TrainingGraph.LossSum].ToFloat32()[0];
    }
}
