using OrtPeft.Adapters;
using OrtPeft.Adapters.Lora;
using OrtPeft.OnDevice.Tests.Engine;
using OrtPeft.Training.Tests.Conformance;
using OrtPeft.Training.Tests.Runs;

namespace OrtPeft.OnDevice.Tests;

/// <summary>Every method of the catalogue, in every variant of the conformance suite, dropout included.</summary>
[Collection(EngineCollection.Name)]
public sealed class MethodTests(EngineRun run)
{
    private const int Steps = 12;

    public static TheoryData<string> Names => [.. MethodCases.All.Select(static method => method.Name)];

    internal static IEnumerable<EngineJob> Jobs => MethodCases.All.Select(static method => new EngineJob(
        NameOf(method.Name),
        () => PeftModel.Create(Tiny.Base, OnDevice(method.Config), seed: 1),
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
    public void TrainingSession_OfEachMethod_TakesTheBasesInputsAndLabels(string name)
    {
        var result = run[NameOf(name)];

        Assert.Equal(["input_ids", "attention_mask", "position_ids", "labels"], result.TrainingInputs);
        Assert.Equal(result.TrainingInputs, result.EvaluationInputs);
        Assert.Equal(["loss"], result.EvaluationOutputs);
    }

    /// <summary>A start that HF PEFT does not find again cannot be put into the weights on a device; PiSSA's is next to
    /// it.</summary>
    private static PeftConfig OnDevice(PeftConfig config) =>
        config is LoraConfig { InitLoraWeights.Name: "pissa_niter_4" or "olora" } lora
            ? lora with { InitLoraWeights = "pissa" }
            : config;

    private static string NameOf(string method) => $"method/{method}";
}
