using OrtPeft.Adapters;
using OrtPeft.Testing;
using OrtPeft.Training.Metrics;

namespace OrtPeft.Training.Tests.Runs;

/// <summary>Whatever a decoder takes its tokens and masks as, it has the same losses and trains alike.</summary>
public sealed class InputKindsTests
{
    private static readonly TrainingArguments Arguments = Tiny.Arguments with { MaxSteps = 4 };

    private static readonly Lazy<double> UsualLoss = new(static () =>
    {
        using var usual = new Evaluator(InputKinds.Usual, Tiny.Arguments.Runtime);
        return usual.Evaluate(Tiny.Data, 3).Loss;
    });

    private static readonly Lazy<(PeftModel Model, IReadOnlyList<StepMetrics> Steps)> UsualRun = new(static () =>
    {
        var model = Tiny.Lora(InputKinds.Usual);
        return (model, Tiny.Run(model, Arguments));
    });

    public static TheoryData<string> Kinds => [.. InputKinds.All];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Evaluate_BehindInputsOfAKind_GivesTheSameLoss(string kind)
    {
        using var other = new Evaluator(InputKinds.Of(kind), Tiny.Arguments.Runtime);

        var found = other.Evaluate(Tiny.Data, 3);

        Assert.Equal(UsualLoss.Value, found.Loss, 1e-6);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Train_BehindInputsOfAKind_GoesTheSameWay(string kind)
    {
        var (usual, expected) = UsualRun.Value;
        var other = Tiny.Lora(InputKinds.Of(kind));

        var found = Tiny.Run(other, Arguments);

        Assert.Equal(expected.Count, found.Count);
        Assert.All(expected.Zip(found), static pair =>
        {
            Assert.Equal(pair.First.Loss, pair.Second.Loss, 1e-5);
            Assert.Equal(pair.First.GradNorm, pair.Second.GradNorm, 1e-4);
        });
        Near.Within(Tiny.Numbers(usual), Tiny.Numbers(other), 1e-4, kind);
    }

    /// <summary>The merged graph takes what the given one took.</summary>
    [Theory]
    [MemberData(nameof(Kinds))]
    public void Merge_BehindInputsOfAKind_KeepsThem(string kind)
    {
        var given = InputKinds.Of(kind);

        var merged = Tiny.Lora(given).Merge();

        Assert.Equal(
            given.Graph.Inputs.Select(static i => (i.Name, i.Type, i.Shape?.ToString())),
            merged.Graph.Inputs.Select(static i => (i.Name, i.Type, i.Shape?.ToString())));
        Assert.Equal(given.Graph.Outputs.Select(static o => o.Name), merged.Graph.Outputs.Select(static o => o.Name));
    }
}
