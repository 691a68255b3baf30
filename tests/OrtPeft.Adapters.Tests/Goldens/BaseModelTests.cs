using OrtPeft.Adapters.Full;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Goldens;

/// <summary>The base model against PyTorch: logits, loss and every parameter's gradient.</summary>
public sealed class BaseModelTests
{
    private static readonly string[] Cases = ["plain", "rightpad", "leftpad", "b2s5"];

    public static TheoryData<string, string> ModelsAndCases => Gpt2.With(Cases);

    [Theory]
    [MemberData(nameof(ModelsAndCases))]
    public void Loss_WhenModelIsUnadapted_IsPyTorchs(string model, string name)
    {
        var golden = GoldenCase.Open(name);
        var peft = PeftModel.Create(Gpt2.Open(model), new FullConfig());

        var step = Step.Of(peft, golden.Inputs);
        var logits = DecoderLogits.Of(peft.Model, golden.Inputs);

        Assert.Equal(golden.Loss, step.Loss, 1e-5);
        Near.Absolute(golden.Logits, logits, 1e-5, "logits");
    }

    /// <summary>Float32 sums of a few hundred terms: 1e-4 of the largest element is ten times what is met.</summary>
    [Theory]
    [MemberData(nameof(Gpt2.Models), MemberType = typeof(Gpt2))]
    public void Gradients_WhenEverythingTrains_ArePyTorchs(string model)
    {
        var golden = GoldenCase.Open("rightpad");
        var peft = PeftModel.Create(Gpt2.Open(model), new FullConfig());

        var step = Step.Of(peft, golden.Inputs);

        Assert.Equal(28, golden.Gradients.Count);
        Assert.Equal(golden.Gradients.Keys.Order(), step.Gradients.Keys.Order());
        foreach (var (name, expected) in golden.Gradients)
            Near.Relative(KeyBias.Left(name, expected), KeyBias.Left(name, step.Gradients[name]), 1e-4, name);
    }
}
