using OrtPeft.Inference.Generation;
using OrtPeft.Models;
using OrtPeft.Testing;

namespace OrtPeft.Text.Tests;

public sealed class SamplingDefaultsTests
{
    private static readonly SamplingSettings Drawn = new() { DoSample = true, Temperature = 0.6, TopP = 0.9 };

    public static TheoryData<GenerationOptions, SamplingSettings, GenerationOptions> Cases => new()
    {
        { new(), new(), new() },
        { new(), Drawn, new() { Temperature = 0.6, TopP = 0.9 } },
        { new(), new() { DoSample = true }, new() { Temperature = 1 } },
        { new(), Drawn with { DoSample = false }, new() },
        { new() { TopK = 5 }, Drawn with { DoSample = false }, new() { Temperature = 0.6, TopK = 5, TopP = 0.9 } },
        { new() { Temperature = 2 }, Drawn, new() { Temperature = 2, TopP = 0.9 } },
        { new() { Temperature = 0 }, Drawn, new() { Temperature = 0 } },
        { new(), new() { RepetitionPenalty = 1.1 }, new() { RepetitionPenalty = 1.1 } },
        { new() { RepetitionPenalty = 2 }, new() { RepetitionPenalty = 1.1 }, new() { RepetitionPenalty = 2 } },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void WithDefaults_TakesWhatIsLeftOut(
        GenerationOptions options, SamplingSettings settings, GenerationOptions expected) =>
        Assert.Equal(expected, options.WithDefaults(settings));

    [Fact]
    public void GenerationDefaults_AreTheFiles()
    {
        using var folder = new TemporaryFolder();
        var model = SmallGpt2.Templated(folder, "");
        File.WriteAllText(
            folder["generation_config.json"],
            """{"do_sample":true,"temperature":0.6,"top_k":0,"top_p":0.9,"min_p":null,"num_beams":2,"min_length":0}""");

        Assert.Equal(new() { Temperature = 0.6, TopK = 0, TopP = 0.9 }, model.GenerationDefaults);
        Assert.Equal("num_beams", model.Source.Sampling.Unfollowed);
    }

    [Theory]
    [InlineData("""{"temperature":"hot"}""", "temperature")]
    [InlineData("""{"top_k":-1}""", "top_k")]
    [InlineData("""{"do_sample":1}""", "do_sample")]
    public void GenerationDefaults_OfADamagedFile_NameTheField(string json, string field)
    {
        using var folder = new TemporaryFolder();
        var model = SmallGpt2.Templated(folder, "");
        File.WriteAllText(folder["generation_config.json"], json);

        var error = Assert.Throws<ModelConfigException>(() => model.GenerationDefaults);

        Assert.Contains(field, error.Message, StringComparison.Ordinal);
    }
}
