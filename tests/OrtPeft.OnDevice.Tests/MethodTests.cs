using OrtPeft.Adapters;
using OrtPeft.Models;
using OrtPeft.OnDevice.Tests.Engine;
using OrtPeft.Testing;
using OrtPeft.Training.Tests.Conformance;

namespace OrtPeft.OnDevice.Tests;

/// <summary>Every method of the catalogue, in every variant of the conformance suite, dropout included.</summary>
[Collection(EngineCollection.Name)]
public sealed class MethodTests(EngineRun run)
{
    private const int Steps = 12;

    public static TheoryData<string> Names => MethodCases.Names;

    internal static IEnumerable<EngineJob> Jobs => MethodCases.All.Select(static method => new EngineJob(
        NameOf(method.Name),
        () => PeftModel.Create(
            ModelSource.Open(Path.Combine(Fixtures.Folder, "base", "g2l")).Model, method.Config, seed: 1),
        EngineStep.TrainSteps(Steps))
    {
        Options = EngineJob.LikePyTorch with { FoldedLearningRate = method.LearningRate },
    });

    [EngineTheory]
    [MemberData(nameof(Names))]
    public void TrainingSession_OfEachMethod_LowersTheLoss(string name)
    {
        var losses = run[NameOf(name)].Losses;

        Assert.Equal(Steps, losses.Count);
        var (first, last) = (losses.Take(4).Average(), losses.TakeLast(4).Average());
        Assert.True(last < first, $"the loss of an epoch went from {first} to {last}");
    }

    [EngineTheory]
    [MemberData(nameof(Names))]
    public void TrainingSession_OfEachMethod_TakesTokensMaskAndLabelsAlone(string name)
    {
        var result = run[NameOf(name)];

        Assert.Equal(["attention_mask", "input_ids", "labels"], result.TrainingInputs.Order());
        Assert.Equal(result.TrainingInputs, result.EvaluationInputs);
        Assert.Equal("loss", result.TrainingOutputs[0]);
    }

    private static string NameOf(string method) => $"method/{method}";
}
