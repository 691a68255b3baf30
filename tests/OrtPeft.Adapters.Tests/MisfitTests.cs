using OrtPeft.Adapters.Lora;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Tests;

/// <summary>What is said of an adapter's file that does not fit.</summary>
public sealed class MisfitTests
{
    private const string Root = "base_model.model.";
    private const string A = Root + "linear.lora_A.weight";

    private static readonly LoraConfig Config = new() { R = 2, TargetModules = ["linear"] };

    [Theory]
    [InlineData("linear.lora_A.weight", "lacks HF PEFT's prefix 'base_model.model.'")]
    [InlineData(Root + "other.lora_A.weight", "does its adapter_config.json name other modules?")]
    public void Create_WhenANameIsAnother_SaysWhereItComesFrom(string name, string part)
    {
        var weights = PeftModel.Create(SmallGraphs.Linear(), Config).GetWeights()
            .ToDictionary(w => w.Key == A ? name : w.Key, static w => w.Value);

        Refused(weights, name, part);
    }

    [Theory]
    [InlineData("_orig_mod." + A)]
    [InlineData(Root + "_orig_mod.linear.lora_A.weight")]
    [InlineData("module." + A)]
    [InlineData("module._orig_mod." + A)]
    [InlineData(Root + "module.linear.lora_A.weight")]
    [InlineData("_fsdp_wrapped_module." + A)]
    [InlineData(Root + "_checkpoint_wrapped_module.linear.lora_A.weight")]
    [InlineData(Root + "linear.lora_A.default.weight")]
    public void Create_WhenANameIsWrapped_ReadsIt(string name)
    {
        var given = PeftModel.Create(SmallGraphs.Linear(), Config, seed: 3).GetWeights();
        var wrapped = given.ToDictionary(w => w.Key == A ? name : w.Key, static w => w.Value);

        var loaded = PeftModel.Create(SmallGraphs.Linear(), Config, wrapped, "file");
        var set = PeftModel.Create(SmallGraphs.Linear(), Config, seed: 4);
        set.SetWeights(wrapped);

        Assert.Equal(given[A].ToFloat32(), loaded.GetWeights()[A].ToFloat32());
        Assert.Equal(given[A].ToFloat32(), set.GetWeights()[A].ToFloat32());
    }

    [Fact]
    public void Create_WhenANameIsThereWrappedAndPlain_SaysSo()
    {
        var weights = PeftModel.Create(SmallGraphs.Linear(), Config).GetWeights().ToDictionary();
        weights["module." + A] = weights[A];

        var error = Assert.Throws<ConfigException>(() => PeftModel.Create(SmallGraphs.Linear(), Config, weights, "file"));

        Assert.Contains("is there twice", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(A, 4, 2, "its rank is 4, and adapter_config.json (r, rank_pattern) makes it 2")]
    [InlineData(Root + "linear.lora_B.weight", 4, 4, "its rank is 4, and adapter_config.json (r, rank_pattern) makes it 2")]
    [InlineData(Root + "linear.lora_B.weight", 5, 2, "for another model")]
    public void Create_WhenAShapeIsAnother_SaysWhatItTells(string name, int rows, int columns, string part)
    {
        var weights = PeftModel.Create(SmallGraphs.Linear(), Config).GetWeights().ToDictionary();
        weights[name] = Tensor.Of<float>(new float[rows * columns], [rows, columns]);

        Refused(weights, name, part);
    }

    [Fact]
    public void Create_WhenASavedHeadHasMoreRows_SpeaksOfTheVocabulary()
    {
        var config = new LoraConfig { R = 1, TargetModules = ["q_proj"], ModulesToSave = ["lm_head"] };
        var weights = PeftModel.Create(LlamaLike.Build(), config).GetWeights().ToDictionary();
        weights[Root + "lm_head.weight"] = Tensor.Of<float>(new float[32 * 16], [32, 16]);

        var error = Assert.Throws<ConfigException>(() => PeftModel.Create(LlamaLike.Build(), config, weights, "file"));

        Assert.Contains("the vocabulary was resized from 29 to 32 tokens", error.Message, StringComparison.Ordinal);
    }

    private static void Refused(Dictionary<string, Tensor> weights, string name, string part)
    {
        var error = Assert.Throws<ConfigException>(() => PeftModel.Create(SmallGraphs.Linear(), Config, weights, "file"));

        Assert.StartsWith($"file: '{name}'", error.Message, StringComparison.Ordinal);
        Assert.Contains(part, error.Message, StringComparison.Ordinal);
    }
}
