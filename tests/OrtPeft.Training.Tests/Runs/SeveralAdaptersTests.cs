using OrtPeft.Adapters;
using OrtPeft.Adapters.Loha;
using OrtPeft.Onnx;

namespace OrtPeft.Training.Tests.Runs;

public sealed class SeveralAdaptersTests
{
    [Fact]
    public void Train_WhenTwoAreActive_TrainsBothAndLowersTheLoss()
    {
        var model = WithTwo();
        model.SetAdapter("default", "second");
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
        var (first, second) = (Copy(model.WeightsOf("default")), Copy(model.WeightsOf("second")));

        Tiny.Run(model, Tiny.Arguments);

        Assert.All(model.WeightsOf("default"), w => Assert.NotEqual(first[w.Key], w.Value.ToFloat32()));
        Assert.All(model.WeightsOf("second"), w => Assert.Equal(second[w.Key], w.Value.ToFloat32()));
    }

    [Fact]
    public void Train_WhileDisabled_SaysWhatToDo()
    {
        var model = WithTwo();
        model.Disable();

        var error = Assert.Throws<ConfigException>(() => Tiny.Run(model, Tiny.Arguments));

        Assert.Contains("Enable()", error.Message, StringComparison.Ordinal);
    }

    private static PeftModel WithTwo()
    {
        var model = Tiny.Lora();
        model.AddAdapter("second", new LohaConfig { R = 2, InitWeights = false, TargetModules = ["c_attn", "c_fc"] });
        return model;
    }

    private static Dictionary<string, float[]> Copy(IReadOnlyDictionary<string, Tensor> weights) =>
        weights.ToDictionary(static w => w.Key, static w => w.Value.ToFloat32());
}
