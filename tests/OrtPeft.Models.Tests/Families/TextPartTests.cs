using OrtPeft.Models.Checkpoints;
using OrtPeft.Testing;

namespace OrtPeft.Models.Tests.Families;

/// <summary>The part for texts of models that read pictures too.</summary>
public sealed class TextPartTests
{
    [Theory]
    [InlineData("gemma3", "gemma3", true)]
    [InlineData("gemma3", "gemma3", false)]
    [InlineData("mistral3", "mistral", true)]
    [InlineData("llava", "llama", true)]
    public void Open_OfAModelThatReadsPictures_GivesHfsLossOfTexts(string type, string family, bool hasOldNames)
    {
        using var folder = new TemporaryFolder();
        PictureFolder.Write(Fixture.Path($"families/{family}"), folder.Path, type, hasOldNames);
        var notes = new List<string>();

        var checkpoint = HfCheckpoint.Open(folder.Path, notes.Add);

        using var golden = new FamilyGolden(family, checkpoint.ToModel());
        var sums = golden.ComputeRowSums();
        for (var row = 0; row < sums.Length; row++)
            Assert.InRange(sums[row] / golden.RowSums[row], 1 - 1e-6, 1 + 1e-6);
        Assert.Contains("model.language_model.embed_tokens.weight", checkpoint.Weights.Keys);
        Assert.Contains($"{PictureFolder.Tower}' read pictures: only the part for texts", Assert.Single(notes), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"model_type\":\"ministral3\"", "text_config.model_type is 'ministral3'")]
    [InlineData("\"model_type\":\"gpt2\"", "text_config.model_type is 'gpt2'")]
    [InlineData("\"unheard_of\":3", "text_config.unheard_of is 3")]
    [InlineData("\"sliding_window\":0", "text_config.sliding_window is 0")]
    public void Read_OfAPartThatCannotBeBuilt_NamesTheField(string field, string expected)
    {
        var error = Assert.Throws<ModelConfigException>(() => Read("mistral3", field, ""));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    /// <summary>The part's own word goes before the whole's, and this one before the family's.</summary>
    [Theory]
    [InlineData("", "", false)]
    [InlineData("", ",\"tie_word_embeddings\":true", true)]
    [InlineData("\"tie_word_embeddings\":false", ",\"tie_word_embeddings\":true", false)]
    public void Read_TakesTheTyingOfThePart(string part, string whole, bool expected) =>
        Assert.Equal(expected, Read("mistral3", part, whole).TieWordEmbeddings);

    [Theory]
    [InlineData(",\"quantization_config\":{\"quant_method\":\"hqq\"}", "")]
    [InlineData("", "\"quantization_config\":{\"quant_method\":\"hqq\"}")]
    public void Read_OfUnknownFewBits_IsRefused(string whole, string part)
    {
        var error = Assert.Throws<ModelConfigException>(() => Read("mistral3", part, whole));

        Assert.Contains("quantization_config.quant_method is 'hqq'", error.Message, StringComparison.Ordinal);
    }

    private static ModelConfig Read(string type, string part, string whole)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["config.json"], $$"""{"model_type":"{{type}}","text_config":{{{part}}}{{whole}}}""");
        return ModelFamilies.Read(folder["config.json"]);
    }
}
