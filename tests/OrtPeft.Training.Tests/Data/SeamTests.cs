using System.Text;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Testing;
using OrtPeft.Tokenizers;
using OrtPeft.Tokenizers.Training;
using OrtPeft.Training.Data;

namespace OrtPeft.Training.Tests.Data;

/// <summary>
/// Where a prompt ends and a completion begins, the ids are those of the joined text; where a token would straddle the
/// border, the prompt keeps its ids and the completion's text stays what it is.
/// </summary>
public sealed class SeamTests : IDisposable
{
    private readonly TemporaryFolder _place = new();
    private readonly ByteLevelBpe _plain;
    private readonly ByteLevelBpe _spaced;

    public SeamTests()
    {
        string[] texts = [.. Enumerable.Repeat("the cat sat on the unbelievable mat and the dog ran un able", 9)];
        _plain = BpeTrainer.Train(texts, new BpeTrainerOptions { VocabularySize = 300 });
        _plain.Save(_place["spaced"]);
        var file = Path.Combine(_place["spaced"], "tokenizer.json");
        var json = File.ReadAllText(file).Replace(
            "\"add_prefix_space\": false", "\"add_prefix_space\": true", StringComparison.Ordinal);
        File.WriteAllText(file, json);
        _spaced = (ByteLevelBpe)TokenizerFolder.Load(_place["spaced"]);
    }

    public void Dispose() => _place.Dispose();

    [Theory]
    [InlineData("the cat", " sat")]
    [InlineData("the cat<|endoftext|>", "sat")]
    [InlineData("the cat\n", "sat")]
    [InlineData("", "sat")]
    [InlineData("the dog's", "sat")]
    public void PromptAndCompletion_WhenTheBorderIsATokens_HaveTheJoinedTextsIds(string prompt, string completion)
    {
        foreach (var tokenizer in (ByteLevelBpe[])[_plain, _spaced])
        {
            var example = Row(tokenizer, prompt, completion);

            Assert.Equal<int>(
                [.. tokenizer.Encode(prompt + completion), tokenizer.EndOfTextId!.Value], example.InputIds);
            var unlearned = tokenizer.Encode(prompt).Count;
            Assert.Equal(unlearned, example.Labels.Count(static l => l == DecoderLabels.Ignored));
        }
    }

    [Theory]
    [InlineData("un", "believable")]
    [InlineData("the ", "cat")]
    [InlineData("the cat\n", "\nsat")]
    public void PromptAndCompletion_WhenATokenWouldStraddle_KeepThePromptsIdsAndTheText(
        string prompt, string completion)
    {
        foreach (var tokenizer in (ByteLevelBpe[])[_plain, _spaced])
        {
            var example = Row(tokenizer, prompt, completion);

            var first = tokenizer.Encode(prompt);
            Assert.Equal(first, example.InputIds.Take(first.Count));
            Assert.All(example.Labels.Take(first.Count), static l => Assert.Equal(DecoderLabels.Ignored, l));
            var text = tokenizer.Decode(example.InputIds.SkipLast(1));
            Assert.Equal(tokenizer.Decode(first) + completion, text);
        }
    }

    [Fact]
    public void Messages_WhenATurnEndsInBlanks_HaveTheIdsOfTheTextAsItIsGeneratedFrom()
    {
        const string Row = """
            {"messages":[{"role":"user","content":"the cat  "},{"role":"assistant","content":"sat"}]}
            """;

        foreach (var tokenizer in (ByteLevelBpe[])[_plain, _spaced])
        {
            var ids = tokenizer.Encode("user: the cat  \nassistant:");
            Assert.Equal(ids, Read(tokenizer, Row).InputIds.Take(ids.Count));
        }
    }

    private static Example Row(ByteLevelBpe tokenizer, string prompt, string completion) => Read(
        tokenizer,
        $$"""{"prompt":{{Quoted(prompt)}},"completion":{{Quoted(completion)}}}""");

    private static string Quoted(string text) => $"\"{text.Replace("\n", "\\n", StringComparison.Ordinal)}\"";

    private static Example Read(ByteLevelBpe tokenizer, string row)
    {
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(row));
        return Assert.Single(new ExampleReader(tokenizer).Read(stream, "rows.jsonl"));
    }
}
