using OrtPeft.Adapters.BitFit;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Tests.Modules;

public sealed class CounterpartsTests
{
    private const string First = "h.0.fc.weight";
    private const string Second = "h.1.fc.weight";

    private static readonly LoraConfig Config = new()
    {
        R = 1,
        InitLoraWeights = LoraInit.Random,
        TargetModules = ModuleTargets.Listed("fc"),
    };

    [Fact]
    public void Merge_WhenTheCopyHasAnotherLayerThatTheConfigurationMeans_LeavesItAsItIs()
    {
        var injection = new LoraMethod().Inject(Layers(First), Config, seed: 0);
        var copy = Layers(First, Second);

        injection.Merge!(copy.Graph, Weights(injection));

        var untouched = Layers(First, Second);
        Assert.NotEqual(Numbers(untouched, First), Numbers(copy, First));
        Assert.Equal(Numbers(untouched, Second), Numbers(copy, Second));
    }

    [Fact]
    public void Merge_WhenTheCopyLacksALayer_IsRefusedByItsName()
    {
        var injection = new LoraMethod().Inject(Layers(First, Second), Config, seed: 0);
        var copy = Layers(First);

        var error = Assert.Throws<ConfigException>(() => injection.Merge!(copy.Graph, Weights(injection)));

        Assert.Contains("h.1.fc", error.Message, StringComparison.Ordinal);
        Assert.Equal(Numbers(Layers(First), First), Numbers(copy, First));
    }

    [Fact]
    public void Merge_WhenTheCopyLacksABias_IsRefusedByItsName()
    {
        var injection = new BitFitMethod().Inject(SmallGraphs.Linear(), new BitFitConfig(), seed: 0);

        var error = Assert.Throws<ConfigException>(
            () => injection.Merge!(Layers(First).Graph, Weights(injection)));

        Assert.Contains("linear.bias", error.Message, StringComparison.Ordinal);
    }

    private static Model Layers(params string[] weights) => SmallGraphs.Of(
        (g, x) => weights.Aggregate(x, (y, name) => g.MatMul(y, SmallGraphs.Weight(g, name, 2, 2))));

    private static Dictionary<string, Tensor> Weights(Injection injection) =>
        injection.Parameters.ToDictionary(static p => p.Name, static p => p.Value.Initializer!);

    private static float[] Numbers(Model model, string name) => model.Graph.Find(name)!.Initializer!.ToFloat32();
}
