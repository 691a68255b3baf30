using OrtPeft.Cli.Commands;
using OrtPeft.Cli.Tests.Running;
using OrtPeft.Models;
using OrtPeft.Models.Gpt2;

namespace OrtPeft.Cli.Tests.Commands;

public sealed class InitAndImportTests(Workplace place) : IClassFixture<Workplace>
{
    [Fact]
    public void Init_WritesAnHfFolder_TheSameForTheSameSeed()
    {
        var (first, second, third) = (place.Fresh(), place.Fresh(), place.Fresh());

        CliRun.Of("init", "--preset", "tiny", "--seed", "7", "--out", first).Succeeded();
        CliRun.Of("init", "--preset", "tiny", "--seed", "7", "--out", second).Succeeded();
        CliRun.Of("init", "--preset", "tiny", "--seed", "8", "--out", third).Succeeded();

        Assert.Equal(
            ["config.json", "merges.txt", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "vocab.json"],
            Names(first));
        Assert.Equal(Bytes(first), Bytes(second));
        Assert.NotEqual(Bytes(first), Bytes(third));

        static byte[] Bytes(string folder) => File.ReadAllBytes(Path.Combine(folder, "model.safetensors"));
    }

    [Theory]
    [InlineData("tiny")]
    [InlineData("tiny-llama")]
    [InlineData("tiny-qwen2")]
    public void Init_MakesATokenizer_SoThatTextTrains(string preset)
    {
        var (model, rows) = (place.Fresh(), place.Write("short.jsonl", """{"text":"é €, and so on"}"""));
        CliRun.Of("init", "--preset", preset, "--out", model).Succeeded();

        CliRun.Of("train", model, "--data", rows, "--out", place.Fresh(), "--steps", "1").Succeeded();
    }

    [Theory]
    [InlineData("smollm2-135m", 0, 0)]
    [InlineData("tinyllama-1.1b", 1, 2)]
    [InlineData("gpt2", 50256, 50256)]
    public void Tokenizer_OfANewModel_HasItsSpecialTokens(string preset, int begin, int end)
    {
        var tokenizer = InitCommand.TokenizerOf(ModelPresets.Find(preset));

        Assert.Equal(end, tokenizer.EndOfTextId);
        Assert.Equal(begin == end ? null : begin, tokenizer.BeginOfTextId);
        Assert.DoesNotContain(tokenizer.Encode("Ordinary text."), tokenizer.IsSpecial);
    }

    [Fact]
    public void Init_WithJson_AnswersOneDocument()
    {
        var json = CliRun.Of("init", "--preset", "tiny", "--out", place.Fresh(), "--json").Succeeded().Json;

        Assert.Equal(Gpt2Presets.Find("tiny").ToArchitecture().ParameterCount, (long)json["parameters"]!);
    }

    [Fact]
    public void Init_OverAModel_IsRefused_UnlessOverwriteIsGiven()
    {
        var folder = place.Fresh();
        CliRun.Of("init", "--preset", "tiny", "--out", folder).Succeeded();

        CliRun.Of("init", "--preset", "tiny", "--out", folder).Refused(2, folder, "model.safetensors", "--overwrite");
        CliRun.Of("init", "--preset", "tiny", "--out", folder, "--overwrite").Succeeded();
    }

    [Fact]
    public void Init_OfAnUnknownPreset_ListsThoseThereAre() =>
        CliRun.Of("init", "--preset", "huge", "--out", place.Fresh()).Refused(2, "huge", "gpt2-xl");

    [Fact]
    public void Import_WritesModelWeightsAndTokenizer()
    {
        var folder = place.Fresh();

        CliRun.Of("import", place.Hf, "--out", folder).Succeeded();

        var wanted = new HashSet<string> { "config.json", "model.onnx", "model.onnx.data", "tokenizer.json" };
        Assert.Superset(wanted, Names(folder).ToHashSet());
    }

    [Fact]
    public void Import_OfSomethingElse_SaysWhatIsWanted() =>
        CliRun.Of("import", place.Rows, "--out", place.Fresh()).Refused(2, place.Rows, "config.json");

    private static IEnumerable<string> Names(string folder) => Directory.EnumerateFileSystemEntries(folder)
        .Select(static f => Path.GetFileName(f)).Order(StringComparer.Ordinal);
}
