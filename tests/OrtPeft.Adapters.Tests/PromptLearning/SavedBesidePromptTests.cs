using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.PrefixTuning;
using OrtPeft.Adapters.PromptLearning;
using OrtPeft.Adapters.PromptTuning;
using OrtPeft.Adapters.PTuning;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.PromptLearning;

/// <summary>
/// <c>modules_to_save</c> beside virtual tokens. HF PEFT wraps no model for these methods, so that its files name the
/// modules from <c>base_model.</c> on.
/// </summary>
public sealed class SavedBesidePromptTests : IDisposable
{
    private const string Head = "base_model.lm_head.weight";
    private readonly TemporaryFolder _folder = new();

    private static readonly Dictionary<string, PromptLearningConfig> Configs = new()
    {
        ["prompt"] = new PromptTuningConfig { NumVirtualTokens = 3 },
        ["p"] = new PTuningConfig { NumVirtualTokens = 3 },
        ["p lstm"] = new PTuningConfig { NumVirtualTokens = 3, EncoderReparameterizationType = "LSTM" },
        ["prefix"] = new PrefixTuningConfig { NumVirtualTokens = 3 },
        ["prefix projection"] = new PrefixTuningConfig { NumVirtualTokens = 3, PrefixProjection = true },
    };

    public static TheoryData<string, string> ModelsAndMethods => Gpt2.With([.. Configs.Keys]);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(ModelsAndMethods))]
    public void Create_WithAHead_ComputesAsABaseOfThatHead(string model, string method)
    {
        var plain = PeftModel.Create(Gpt2.Open(model), Configs[method], seed: 3);
        var both = PeftModel.Create(Gpt2.Open(model), Configs[method] with { ModulesToSave = ["lm_head"] }, seed: 3);
        Assert.Equal(
            [.. plain.Parameters.Select(static p => p.Name), Head], both.Parameters.Select(static p => p.Name));
        var head = Moved(both.GetWeights()[Head]);

        both.SetWeights(new Dictionary<string, Tensor>(both.GetWeights()) { [Head] = head });

        var other = PeftModel.Create(
            Gpt2.Open(model), new LoraConfig { R = 1, TargetModules = ["c_attn"], ModulesToSave = ["lm_head"] });
        other.SetWeights(new Dictionary<string, Tensor>(other.GetWeights()) { ["base_model.model.lm_head.weight"] = head });
        var expected = PeftModel.Create(other.Merge(), Configs[method], seed: 3);
        var batch = TrainRun.Batch(0);
        Near.Absolute(DecoderLogits.Of(expected.Model, batch), DecoderLogits.Of(both.Model, batch), 1e-5, "logits");
    }

    [Theory]
    [MemberData(nameof(ModelsAndMethods))]
    public void Save_WithAModule_IsReadBack(string model, string method)
    {
        var both = PeftModel.Create(Gpt2.Open(model), Configs[method] with { ModulesToSave = ["ln_f", "lm_head"] }, seed: 3);
        both.SetWeights(both.GetWeights().ToDictionary(static w => w.Key, static w => Moved(w.Value)));

        both.Save(_folder["a"]);

        string[] names = ["base_model.lm_head.weight", "base_model.transformer.ln_f.bias", "base_model.transformer.ln_f.weight", "prompt_embeddings"];
        Assert.Equal(names, AdapterFolder.LoadWeights(_folder["a"]).Keys.Order(StringComparer.Ordinal));
        var read = PeftModel.Load(Gpt2.Open(model), _folder["a"]);
        var batch = TrainRun.Batch(0);
        Near.Absolute(DecoderLogits.Of(both.Model, batch), DecoderLogits.Of(read.Model, batch), 1e-5, "logits");
    }

    /// <summary>HF PEFT embeds with the table as it was before it wrapped the module.</summary>
    [Theory]
    [InlineData("prompt", true)]
    [InlineData("p", true)]
    [InlineData("prefix", false)]
    public void Create_WithTheTokenTable_IsRefusedWhereHfPeftPassesItOver(string method, bool isRefused)
    {
        var config = Configs[method] with { ModulesToSave = ["wte"] };

        var error = Record.Exception(() => PeftModel.Create(Gpt2.Open(Gpt2.Imported), config));

        Assert.Equal(isRefused, error is ConfigException);
        Assert.True(error is null || error.Message.Contains("transformer.wte", StringComparison.Ordinal));
    }

    [Fact]
    public void Create_OfAModuleThatIsNotThere_NamesThoseThatAre()
    {
        var config = Configs["prefix"] with { ModulesToSave = ["classifier"] };

        var error = Assert.Throws<ConfigException>(() => PeftModel.Create(Gpt2.Open(Gpt2.Imported), config));

        Assert.Contains("modules_to_save 'classifier'", error.Message, StringComparison.Ordinal);
        Assert.Contains("lm_head", error.Message, StringComparison.Ordinal);
    }

    private static Tensor Moved(Tensor tensor) => Tensor.Of<float>(
        [.. tensor.ToFloat32().Select(static (v, i) => v + (0.05f * MathF.Sin(i)))], tensor.Dims.AsSpan());
}
