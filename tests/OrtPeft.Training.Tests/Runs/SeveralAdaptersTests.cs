using OrtPeft.Adapters;
using OrtPeft.Adapters.Loha;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Training.Tests.Runs;

public sealed class SeveralAdaptersTests
{
    [Fact]
    public void Train_WhenTwoAreActive_TrainsBothAndLowersTheLoss()
    {
        var model = WithTwo();
        model.Adapters.Set("default", "second");
        var before = Copy(model.GetWeights());

        var steps = Tiny.Run(model, Tiny.Arguments with { MaxSteps = 12, Schedule = "constant" });

        Assert.True(steps.TakeLast(4).Sum(static s => s.Loss) < steps.Take(4).Sum(static s => s.Loss));
        Assert.All(model.GetWeights(), w => Assert.NotEqual(before[w.Key], w.Value.ToFloat32()));
        Assert.Contains(before.Keys, static k => k.EndsWith(".default.weight", StringComparison.Ordinal));
        Assert.Contains(before.Keys, static k => k.EndsWith(".second", StringComparison.Ordinal));
    }

    [Fact]
    public void Train_WhenOneIsActive_LeavesTheOther()
    {
        var model = WithTwo();
        var (first, second) = (Copy(model.Adapters.WeightsOf("default")), Copy(model.Adapters.WeightsOf("second")));

        Tiny.Run(model, Tiny.Arguments);

        Assert.All(model.Adapters.WeightsOf("default"), w => Assert.NotEqual(first[w.Key], w.Value.ToFloat32()));
        Assert.All(model.Adapters.WeightsOf("second"), w => Assert.Equal(second[w.Key], w.Value.ToFloat32()));
    }

    [Fact]
    public void Train_WhileDisabled_SaysWhatToDo()
    {
        var model = WithTwo();
        model.Adapters.Disable();

        var error = Assert.Throws<ConfigException>(() => Tiny.Run(model, Tiny.Arguments));

        Assert.Contains("Enable()", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_WhenResumedWithAnotherSecondAdapter_NamesItAndTheField()
    {
        using var folder = new TemporaryFolder();
        var arguments = Tiny.Arguments with { OutputFolder = folder.Path, MaxSteps = 1 };
        var (model, other) = (WithTwo(), WithTwo(alpha: 3));
        model.Adapters.Set("default", "second");
        other.Adapters.Set("default", "second");
        Tiny.Run(model, arguments);

        var error = Assert.Throws<SettingException>(() => Tiny.Run(other, arguments with { Resume = true }));

        Assert.Contains("second.alpha", error.Message, StringComparison.Ordinal);
    }

    private static PeftModel WithTwo(double alpha = 8)
    {
        var model = Tiny.Lora();
        var config = new LohaConfig { R = 2, Alpha = alpha, InitWeights = false, TargetModules = ["c_attn", "c_fc"] };
        model.Adapters.Add("second", config);
        return model;
    }

    private static Dictionary<string, float[]> Copy(IReadOnlyDictionary<string, Tensor> weights) =>
        weights.ToDictionary(static w => w.Key, static w => w.Value.ToFloat32());
}
