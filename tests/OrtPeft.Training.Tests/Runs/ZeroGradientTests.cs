using OrtPeft.Adapters;
using OrtPeft.Adapters.Lora;
using OrtPeft.Tensors;
using OrtPeft.Testing;
using OrtPeft.Training.Runtime;

namespace OrtPeft.Training.Tests.Runs;

public sealed class ZeroGradientTests
{
    /// <summary>A and B of zeros, each behind the other: neither ever gets a gradient.</summary>
    [Fact]
    public void Train_WhenNoGradientEverComes_EndsAfterTheFirstEpoch()
    {
        using var folder = new TemporaryFolder();
        var steps = 0;
        var model = Tiny.Lora();
        var zeros = model.GetWeights().ToDictionary(
            static w => w.Key, static w => Tensor.Of<float>(new float[w.Value.Count], w.Value.Dims.AsSpan()));
        model = PeftModel.Create(Tiny.Base, (LoraConfig)model.Config, zeros, "zeros");
        using var trainer = new Trainer(model, Tiny.Arguments with { OutputFolder = folder.Path }, Tiny.Data);

        var error = Assert.Throws<TrainingFailedException>(() => trainer.Train(new Tiny.Observer(_ => steps++)));

        Assert.Contains("Step 4: all gradients have been exactly zero", error.Message, StringComparison.Ordinal);
        Assert.Equal(3, steps);
        Assert.False(File.Exists(folder[Trainer.CheckpointFile]));
    }

    /// <summary>What rests in the first step may move in the second one.</summary>
    [Theory]
    [InlineData(0, 0.0, true)]
    [InlineData(1, 0.0, false)]
    [InlineData(1, 1e-30, true)]
    [InlineData(1, null, true)]
    public void See_AtTheEpochsEnd_JudgesByLossAndGradient(double loss, double? gradNorm, bool isFine)
    {
        var watch = new GradientWatch(stepsPerEpoch: 2, totalSteps: 5);
        watch.See(1, new StepResult(loss, 0));

        var see = () => watch.See(2, new StepResult(loss, gradNorm));

        if (isFine)
            see();
        else
            Assert.Throws<TrainingFailedException>(see);
    }
}
