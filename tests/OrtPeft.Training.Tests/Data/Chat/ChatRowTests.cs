using System.Text;
using System.Text.Json;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Testing;
using OrtPeft.Tokenizers;
using OrtPeft.Tokenizers.Chat;
using OrtPeft.Training.Data;
using OrtPeft.Training.Data.Chat;

namespace OrtPeft.Training.Tests.Data.Chat;

/// <summary>Rows of messages by a chat template, against TRL's masks and on forms of our own.</summary>
public sealed class ChatRowTests : IDisposable
{
    private const string Marked =
        "{% for m in messages %}<{{ m.role }}>{% if m.role == 'assistant' %}{% generation %}{{ m.content }}"
        + "<|im_end|>{% endgeneration %}{% else %}{{ m.content }}{% endif %}\n{% endfor %}";

    private const string Plain =
        "{% for m in messages %}<{{ m.role }}>{{ m.content }}<|im_end|>{% endfor %}"
        + "{% if add_generation_prompt %}<assistant>{% endif %}";

    /// <summary>As Phi-3's: something stands behind every conversation that is not a prompt.</summary>
    private const string Closing = Plain + "{% if not add_generation_prompt %}<end>{% endif %}";

    private const string TwoAnswers =
        """{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"one"},"""
        + """{"role":"user","content":"b"},{"role":"assistant","content":"two"}]}""";

    private static readonly string Goldens = Path.Combine(Fixtures.Folder, "chat");

    private static readonly Lazy<ITokenizer> Loaded =
        new(static () => TokenizerFolder.Load(Path.Combine(Goldens, "tiny_chatml")));

    private static ITokenizer Tokenizer => Loaded.Value;

    private readonly string _folder = Directory.CreateTempSubdirectory().FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Read_OfTheGoldens_LearnsWhatTrlLearns()
    {
        var template = File.ReadAllText(Path.Combine(Goldens, "generation_chatml.jinja"));

        var wrong = File.ReadLines(Path.Combine(Goldens, "masks.jsonl")).Select(line => Judge(template, line));

        Assert.Empty(wrong.OfType<string>());
    }

    [Theory]
    [InlineData(Marked, TrainOn.Assistant, "one<|im_end|>|two<|im_end|>")]
    [InlineData(Marked, TrainOn.Last, "two<|im_end|>")]
    [InlineData(Plain, TrainOn.Assistant, "one<|im_end|>|two<|im_end|>")]
    [InlineData(Plain, TrainOn.Last, "two<|im_end|>")]
    [InlineData(Closing, TrainOn.Last, "two<|im_end|><end>")]
    [InlineData(Closing, TrainOn.Assistant, "two<|im_end|><end>")]
    public void Read_OfTwoAnswers_LearnsTheWantedTurns(string template, TrainOn trainOn, string expected)
    {
        var example = Read(template, TwoAnswers, new ChatFormat { TrainOn = trainOn })!;

        Assert.Equal(expected, Learned(example));
        Assert.Equal(template == Closing && trainOn == TrainOn.Assistant, example.LearnsLastTurnOnly);
    }

    [Theory]
    [InlineData(Marked)]
    [InlineData(Plain)]
    public void Read_OfATurnOfWeightZero_LeavesItOut(string template)
    {
        var row = TwoAnswers.Replace("\"one\"", "\"one\",\"weight\":0", StringComparison.Ordinal);

        Assert.Equal("two<|im_end|>", Learned(Read(template, row)!));
    }

    [Fact]
    public void Read_OfAWeightThatIsNone_NamesTheTurn()
    {
        var row = TwoAnswers.Replace("\"one\"", "\"one\",\"weight\":0.5", StringComparison.Ordinal);

        var error = Assert.Throws<TrainingDataException>(() => Read(Plain, row));

        const string Expected = "messages[1].weight: the weight is 0.5; expected 0 or 1";
        Assert.Contains(Expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_OfPromptAndCompletion_LearnsTheCompletion()
    {
        const string Row =
            """{"prompt":[{"role":"user","content":"a"}],"completion":[{"role":"assistant","content":"one"}]}""";

        Assert.Equal("one<|im_end|>", Learned(Read(Plain, Row)!));
    }

    [Fact]
    public void Read_OfToolsAsText_GivesThemToTheTemplate()
    {
        const string Row = """{"messages":[{"role":"user","content":"a"}],"tools":"[{\"name\":\"f\"}]"}""";

        var example = Read("{{ tools[0].name }}{{ x }}", Row, new ChatFormat { TrainOn = TrainOn.All })!;

        Assert.Equal("f", Tokenizer.Decode(example.InputIds));
    }

    [Fact]
    public void Read_WhenTheTemplateRaises_NamesFileAndLine()
    {
        var error = Assert.Throws<TrainingDataException>(
            () => Read("{{ raise_exception('Roles must alternate!') }}", TwoAnswers));

        Assert.StartsWith("rows.jsonl:1: messages: chat template ", error.Message, StringComparison.Ordinal);
        Assert.EndsWith("line 1: Roles must alternate!", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_OfAnOverlongRow_CutsOrDropsIt()
    {
        var kept = new ChatFormat { TrainOn = TrainOn.All };
        var whole = Read(Plain, TwoAnswers, kept)!;

        var start = Read(Plain, TwoAnswers, kept, length: 5, OverlongRows.Cut)!;
        var end = Read(Plain, TwoAnswers, kept, length: 5, OverlongRows.CutStart)!;
        var none = Assert.Throws<TrainingDataException>(
            () => Read(Plain, TwoAnswers, kept, length: 5, OverlongRows.Drop));

        Assert.Equal([.. whole.InputIds[..5]], start.InputIds.ToArray());
        Assert.Equal([.. whole.InputIds[^5..]], end.InputIds.ToArray());
        Assert.Contains("none of the 1 rows contains a token to learn", none.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Preview_OfABadRow_GoesOnWithTheNext()
    {
        var file = Path.Combine(_folder, "rows.jsonl");
        File.WriteAllText(file, "{\"messages\":3}\n" + TwoAnswers + "\n");

        RowPreview[] rows = [.. Reader(Plain, new ChatFormat()).Preview(file)];

        Assert.Contains("messages: the value is a number; expected an array", rows[0].Error, StringComparison.Ordinal);
        Assert.Equal((2, null), (rows[1].Line, rows[1].Error));
        Assert.StartsWith("<user>a<|im_end|>", rows[1].Text, StringComparison.Ordinal);
    }

    private string? Judge(string template, string line)
    {
        var golden = JsonDocument.Parse(line).RootElement;
        TrainOn? trainOn = golden.TryGetProperty("trainOn", out var part)
            ? Enum.Parse<TrainOn>(part.GetString()!)
            : null;
        int? length = golden.TryGetProperty("length", out var cut) ? cut.GetInt32() : null;
        var overlong = length is null
            ? OverlongRows.Cut
            : Enum.Parse<OverlongRows>(golden.GetProperty("overlong").GetString()!);
        var example = Read(
            template, golden.GetProperty("row").GetRawText(), new ChatFormat { TrainOn = trainOn }, length, overlong)!;
        if (!golden.TryGetProperty("ids", out var ids))
            return example.SupervisedTokens == 0 ? null : $"learns something: {line}";
        int[] expected = [.. ids.EnumerateArray().Select(static id => id.GetInt32())];
        int[] labels = [.. expected.Select(static _ => DecoderLabels.Ignored)];
        foreach (var range in golden.GetProperty("learnt").EnumerateArray())
            expected.AsSpan()[range[0].GetInt32()..range[1].GetInt32()].CopyTo(labels.AsSpan(range[0].GetInt32()));
        return example.InputIds.SequenceEqual(expected) && example.Labels.SequenceEqual(labels) ? null : line;
    }

    private Example? Read(
        string template, string row, ChatFormat? format = null, int? length = null, OverlongRows overlong = default)
    {
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(row));
        var reader = Reader(template, format ?? new ChatFormat(), length, overlong);
        using var rows = reader.Read(stream, "rows.jsonl").GetEnumerator();
        return rows.MoveNext() ? rows.Current : null;
    }

    private ExampleReader Reader(
        string template, ChatFormat format, int? length = null, OverlongRows overlong = default)
    {
        File.WriteAllText(Path.Combine(_folder, "chat_template.jinja"), template);
        return new ExampleReader(Tokenizer, new ExampleReaderOptions
        {
            Chat = format with { Templates = new Lazy<ChatTemplates?>(() => ChatTemplates.Load(_folder)) },
            SequenceLength = length,
            Overlong = overlong,
        });
    }

    /// <summary>The learned stretches, with a bar between them.</summary>
    private static string Learned(Example example)
    {
        var parts = new List<List<int>>();
        for (var i = 0; i < example.Length; i++)
        {
            if (example.Labels[i] == DecoderLabels.Ignored)
                continue;
            if (i == 0 || example.Labels[i - 1] == DecoderLabels.Ignored)
                parts.Add([]);
            parts[^1].Add(example.InputIds[i]);
        }

        return string.Join('|', parts.Select(static ids => Tokenizer.Decode(ids)));
    }
}
