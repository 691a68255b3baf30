using OrtPeft.Adapters;
using OrtPeft.Adapters.Lora;
using OrtPeft.OnDevice.Tests.Engine;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Testing;
using OrtPeft.Training.Tests.Runs;

namespace OrtPeft.OnDevice.Tests;

/// <summary>Dropout without a seed to feed: the engine's generator draws the masks.</summary>
[Collection(EngineCollection.Name)]
public sealed class DropoutTests(EngineRun run)
{
    private const string OfAdapter = "dropout/adapter";
    private const string OfBase = "dropout/base";
    private const string BaseOff = "dropout/base off";

    /// <summary>The rate is too small to change a float32 weight: only masks can make losses differ.</summary>
    internal static IEnumerable<EngineJob> Jobs =>
    [
        Job(OfAdapter, static () => Tiny.Lora(dropout: 0.5), baseDropout: true),
        Job(OfBase, WithDropoutInItsGraph, baseDropout: true),
        Job(BaseOff, WithDropoutInItsGraph, baseDropout: false),
    ];

    [EngineTheory]
    [InlineData(OfAdapter)]
    [InlineData(OfBase)]
    public void RunTrainStep_WithDropout_DrawsAnotherMaskEachTime(string job)
    {
        var losses = run[job].Losses;

        Assert.Equal(4, losses.Take(4).Distinct().Count());
        Assert.All(losses.Take(4), l => Assert.Equal(losses[4], l, 0.5));
    }

    [EngineTheory]
    [InlineData(OfAdapter)]
    [InlineData(OfBase)]
    public void RunEvalStep_HasNoDropout(string job)
    {
        var losses = run[job].Losses;

        Assert.Equal(losses[4], losses[5]);
    }

    [EngineFact]
    public void RunTrainStep_WhenTheBasesDropoutIsLeftOut_GivesOneLoss()
    {
        var losses = run[BaseOff].Losses;

        Assert.All(losses, l => Assert.Equal(losses[4], l, 1e-5));
    }

    private static EngineJob Job(string name, Func<PeftModel> open, bool baseDropout) => new(
        name,
        open,
        [.. EngineStep.TrainSteps(4, batches: 1), EngineStep.Evaluate(0), EngineStep.Evaluate(0)])
    {
        Options = EngineJob.LikePyTorch with { FoldedLearningRate = 1e-30, BaseDropout = baseDropout },
    };

    private static PeftModel WithDropoutInItsGraph() => PeftModel.Create(
        OnnxFile.Load(Fixtures.Graph("hf442_g2l_trainmode_op14.onnx")),
        new LoraConfig { R = 4, TargetModules = ["c_attn"] });
}
