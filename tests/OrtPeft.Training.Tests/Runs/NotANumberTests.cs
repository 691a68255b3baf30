using OrtPeft.Adapters;
using OrtPeft.Onnx;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Training.Tests.Runs;

public sealed class NotANumberTests
{
    [Fact]
    public void Train_WhenAWeightIsNotANumber_IsRefusedBeforeTheFirstStep()
    {
        var model = WithNaN();
        var before = model.GetWeights();

        var error = Assert.Throws<GraphException>(() => Tiny.Run(model, Tiny.Arguments));

        Assert.Contains("does not train: the adapter's '", error.Message, StringComparison.Ordinal);
        Assert.Contains(ModelVerdict.Of(model).Reason!, error.Message, StringComparison.Ordinal);
        Assert.All(model.GetWeights(), w => Assert.Same(before[w.Key], w.Value));
    }

    [Fact]
    public void Train_WhenTheRateIsHuge_NamesStepAndCheckpointAndSetsNoWeights()
    {
        using var folder = new TemporaryFolder();
        var model = Tiny.Lora();
        var before = model.GetWeights();
        var arguments = Tiny.Arguments with { LearningRate = 1e30, OutputFolder = folder.Path, CheckpointSteps = 1 };

        var error = Assert.Throws<TrainingFailedException>(() => Tiny.Run(model, arguments));

        Assert.StartsWith("Step 2: the loss is ", error.Message, StringComparison.Ordinal);
        var path = folder[Trainer.CheckpointFile];
        Assert.Contains($"the last good checkpoint is {path}", error.Message, StringComparison.Ordinal);
        Assert.All(model.GetWeights(), w => Assert.Same(before[w.Key], w.Value));
    }

    [Fact]
    public void Train_WhenTheFolderHasAnotherRunsCheckpoint_DoesNotOfferIt()
    {
        using var folder = new TemporaryFolder();
        var arguments = Tiny.Arguments with { OutputFolder = folder.Path, MaxSteps = 1 };
        Tiny.Run(Tiny.Lora(), arguments);

        var error = Assert.Throws<TrainingFailedException>(
            () => Tiny.Run(Tiny.Lora(), arguments with { MaxSteps = 2, LearningRate = 1e30 }));

        Assert.Contains("no checkpoint was written yet", error.Message, StringComparison.Ordinal);
    }

    private static PeftModel WithNaN()
    {
        var model = Tiny.Lora();
        var weights = new Dictionary<string, Tensor>(model.GetWeights());
        var (name, tensor) = weights.First();
        var values = tensor.ToFloat32();
        values[3] = float.NaN;
        weights[name] = Tensor.Of<float>(values, tensor.Dims.AsSpan());
        model.SetWeights(weights);
        return model;
    }
}
