using OrtPeft.Adapters.Lora;
using OrtPeft.Onnx;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests;

public sealed class PeftModelTests
{
    private const string FirstA = "base_model.model.transformer.h.0.attn.c_attn.lora_A.weight";

    private static readonly TrainRun Run = TrainRun.Open("lora_cattn");

    [Fact]
    public void Load_WhenTheModelHasOtherNames_SaysWhatWouldMatch()
    {
        var error = Assert.Throws<ConfigException>(() => PeftModel.Load(SmallGraphs.Linear(), Run.AdapterFolder));

        Assert.Contains("'c_attn'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void SetWeights_WhenShapesDiffer_ShowsBoth()
    {
        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), new LoraConfig { R = 2 });

        var error = Assert.Throws<ConfigException>(() => peft.SetWeights(Run.All("init"), "folder"));

        Assert.StartsWith($"folder: '{FirstA}'", error.Message, StringComparison.Ordinal);
        Assert.Contains("[4, 32]", error.Message, StringComparison.Ordinal);
        Assert.Contains("[2, 32]", error.Message, StringComparison.Ordinal);
        Assert.Contains("rank", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("lora_all", "c_attn", "has no place")]
    [InlineData("lora_cattn", "c_fc,c_attn", "is missing")]
    public void SetWeights_WhenNamesDiffer_SaysWhich(string run, string targets, string part)
    {
        var config = new LoraConfig { R = 4, TargetModules = Adapters.Modules.ModuleTargets.Parse(targets) };
        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), config);

        var error = Assert.Throws<ConfigException>(() => peft.SetWeights(TrainRun.Open(run).All("init")));

        Assert.Contains(part, error.Message, StringComparison.Ordinal);
        Assert.Contains("transformer.h.0.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void SetWeights_WhenOneIsOfAWrongType_SetsNone()
    {
        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), new LoraConfig { R = 4 });
        var before = peft.GetWeights();
        var weights = Run.All("init");
        var last = peft.Parameters[^1].Name;
        weights[last] = Tensor.Of<long>(new long[96 * 4], [96, 4]);

        var error = Assert.Throws<ConfigException>(() => peft.SetWeights(weights));

        Assert.Contains(last, error.Message, StringComparison.Ordinal);
        Assert.All(peft.GetWeights(), w => Assert.Same(before[w.Key], w.Value));
    }

    [Fact]
    public void SetWeights_WhenHalfPrecision_Widens()
    {
        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), new LoraConfig { R = 4 });
        var weights = Run.All("init");
        weights[FirstA] = Tensor.Of([.. Enumerable.Repeat((Half)0.5, 128)], [4, 32]);

        peft.SetWeights(weights);

        Assert.All(peft.GetWeights()[FirstA].ToFloat32(), static v => Assert.Equal(0.5f, v));
    }

    [Fact]
    public void Merge_WhenDoneTwice_GivesTheSameWeightsAndSharesTheOthers()
    {
        var model = Gpt2.Open(Gpt2.Imported);
        var peft = PeftModel.Load(model, Run.AdapterFolder);

        var (first, second) = (peft.Merge(), peft.Merge());

        const string Adapted = "transformer.h.0.attn.c_attn.weight";
        const string Frozen = "transformer.h.0.mlp.c_fc.weight";
        Assert.Equal(WeightOf(first, Adapted).ToFloat32(), WeightOf(second, Adapted).ToFloat32());
        Assert.NotEqual(WeightOf(model, Adapted).ToFloat32(), WeightOf(first, Adapted).ToFloat32());
        Assert.Same(WeightOf(model, Frozen).Data, WeightOf(first, Frozen).Data);
    }

    private static Tensor WeightOf(Model model, string name) => model.Graph.Find(name)!.Initializer!;
}
