using OrtPeft.Adapters.Lora;
using OrtPeft.Models;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Modules;

/// <summary>An adapter of a model of texts and of one that reads pictures around it are the same.</summary>
public sealed class TextRootsTests
{
    private const string Module = "layers.0.self_attn.q_proj";
    private const string Of4_51 = "language_model.model.";
    private const string Now = "model.language_model.";
    private const string OfTexts = "model.";

    [Theory]
    [InlineData(OfTexts, true)]
    [InlineData(Of4_51, true)]
    [InlineData(Now, true)]
    [InlineData(Now, false)]
    [InlineData(Of4_51, false)]
    public void Create_OfWeightsUnderAnotherRoot_PlacesThem(string root, bool readsPictures)
    {
        var texts = Path.Combine(Fixtures.Folder, "families/gemma3");
        using var folder = new TemporaryFolder();
        PictureFolder.Write(texts, folder.Path, "gemma3", hasOldNames: true);
        var config = new LoraConfig { R = 2, TargetModules = [$"{OfTexts}{Module}", "lm_head"] };
        var given = PeftModel.Create(ModelSource.Open(texts).Model, config, seed: 3).GetWeights();
        var named = given.ToDictionary(
            w => w.Key.Contains("lm_head", StringComparison.Ordinal)
                ? w.Key.Replace("lm_head", root == Of4_51 ? "language_model.lm_head" : "lm_head", StringComparison.Ordinal)
                : w.Key.Replace("base_model.model.model.", $"base_model.model.{root}", StringComparison.Ordinal),
            static w => w.Value);
        var ofFile = config with { TargetModules = [$"{root}{Module}", "lm_head"] };

        var peft = PeftModel.Create(ModelSource.Open(readsPictures ? folder.Path : texts).Model, ofFile, named, "file");

        var expected = $"base_model.model.{(readsPictures ? Now : OfTexts)}{Module}.lora_A.weight";
        Assert.Equal(given[$"base_model.model.{OfTexts}{Module}.lora_A.weight"].ToFloat32(), peft.GetWeights()[expected].ToFloat32());
        Assert.Equal(4, peft.GetWeights().Count);
        Assert.Equal([expected[17..^14], "lm_head"], ((LoraConfig)peft.Config).TargetModules!.Names);
    }
}
