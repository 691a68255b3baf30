using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.PromptTuning;
using OrtPeft.Testing;
using OrtPeft.Tokenizers;
using OrtPeft.Training.Data;

namespace OrtPeft.Text.Tests;

public sealed class TextModelTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Rows => _folder["rows.jsonl"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ReadRows_OfMoreTokensThanTheModelHasPositions_IsRefused()
    {
        var model = SmallGpt2.Open();
        var positions = model.Source.ContextLength!.Value;
        WriteRow(positions);
        Assert.Equal(positions, model.ReadRows(Rows).LengthOf(0));
        WriteRow(positions + 1);

        var error = Assert.Throws<TrainingDataException>(() => model.ReadRows(Rows));

        var expected = $"{positions + 1} tokens, but the model has {positions} positions";
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ReadRows_ForVirtualTokens_LeavesThemTheirPositions()
    {
        var model = SmallGpt2.Open();
        var adapted = model.AddAdapter(new PromptTuningConfig { NumVirtualTokens = 8 });
        var positions = model.Source.ContextLength!.Value;
        WriteRow(positions);

        var error = Assert.Throws<TrainingDataException>(() => model.ReadRows(Rows, adapted));

        Assert.Contains($"the model has {positions - 8} positions", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ReadRows_WithLimitsOfTheirOwn_KeepsTheModelsToo()
    {
        var model = SmallGpt2.Open();
        WriteRow(9);
        var wide = new ExampleReaderOptions { ContextLength = 1_000_000, VocabularySize = 1_000_000 };

        Assert.Equal(9, model.ReadRows(Rows, options: wide).LengthOf(0));
        Assert.Throws<TrainingDataException>(() => model.ReadRows(Rows, options: wide with { ContextLength = 8 }));
        File.WriteAllText(Rows, $$"""{"input_ids":[0,{{model.Source.VocabularySize}}]}""");
        Assert.Throws<TrainingDataException>(() => model.ReadRows(Rows, options: wide));
    }

    [Fact]
    public void ReadRows_WhoseFieldsAreNotRead_Warns()
    {
        var lines = new List<string>();
        File.WriteAllText(Rows, """{"text":"Gets the name.","label":"unread"}""");

        SmallGpt2.Open(lines.Add).ReadRows(Rows);

        Assert.Contains(lines, static line => line.Contains("label", StringComparison.Ordinal));
    }

    [Fact]
    public void ReadRows_OfMessages_GoThroughTheTemplate()
    {
        var model = SmallGpt2.Templated(_folder, "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}");
        File.WriteAllText(
            Rows, """{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Ho"}]}""");

        var ids = model.ReadRows(Rows).Collate([0]).Feeds["input_ids"].ToInt64().ToArray();

        Assert.Equal("<user>Hi<assistant>Ho", model.Tokenizer.Decode(ids.Select(static id => (int)id)));
    }

    [Fact]
    public void Open_WithoutATokenizer_SaysWhereItBelongs()
    {
        File.Copy(Path.Combine(SmallGpt2.Folder, "config.json"), _folder["config.json"]);
        File.Copy(Path.Combine(SmallGpt2.Folder, "model.safetensors"), _folder["model.safetensors"]);

        var error = Assert.Throws<TokenizerFormatException>(() => TextModel.Open(_folder.Path));

        Assert.Contains(_folder.Path, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void LoadAdapter_GivesWhatWasSaved()
    {
        var model = SmallGpt2.Open();
        var adapted = model.AddAdapter(new LoraConfig { R = 2, InitLoraWeights = false }, seed: 3);
        adapted.Save(_folder["adapter"]);

        var loaded = model.LoadAdapter(_folder["adapter"]);

        var weights = loaded.GetWeights();
        Assert.All(adapted.GetWeights(), w => Assert.Equal(w.Value.ToFloat32(), weights[w.Key].ToFloat32()));
    }

    /// <summary>One row of so many tokens.</summary>
    private void WriteRow(int tokens) =>
        File.WriteAllText(Rows, $$"""{"input_ids":[{{string.Join(',', Enumerable.Repeat(5, tokens))}}]}""");
}
