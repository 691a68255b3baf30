using OrtPeft.Tokenizers.Tests.Reference;

namespace OrtPeft.Tokenizers.Tests;

/// <summary>Exactness on the real GPT-2 vocabulary against the JavaScript implementation.</summary>
public sealed class ByteLevelBpeGoldenTests(Gpt2Fixture gpt2) : IClassFixture<Gpt2Fixture>
{
    public static TheoryData<string> Names => [.. Gpt2Fixture.Goldens.Select(static golden => golden.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Encode_WhenSpecialTokensAreText_GivesTheReferenceIds(string name)
    {
        var golden = Gpt2Fixture.Goldens.Single(candidate => candidate.Name == name);

        var ids = gpt2.Tokenizer.Encode(golden.Text, SpecialTokenHandling.TreatAsText);

        Assert.Equal(golden.Ids, ids);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Decode_OfTheReferenceIds_GivesTheText(string name)
    {
        var golden = Gpt2Fixture.Goldens.Single(candidate => candidate.Name == name);

        var text = gpt2.Tokenizer.Decode(golden.Ids);

        Assert.Equal(golden.Text.WithoutLoneSurrogates(), text);
    }

    // JavaScript's \s takes U+FEFF and not U+0085; Hugging Face's takes White_Space. The words are GPT-2's there:
    // "a", " ", "\u0085", "b" and "a", " \uFEFF", "b".
    [Theory]
    [InlineData("a \u0085b", new[] { 64, 220, 126, 227, 65 })]
    [InlineData("a \uFEFFb", new[] { 64, 27332, 119, 123, 65 })]
    public void Encode_WhereJavaScriptHasOtherWhiteSpace_FollowsTheUnicodeProperty(string text, int[] expected)
    {
        var ids = gpt2.Tokenizer.Encode(text);

        Assert.Equal(expected, ids);
    }

    [Fact]
    public void EndOfTextId_OfTheOpenAiFiles_IsFound()
    {
        Assert.Equal(50256, gpt2.Tokenizer.EndOfTextId);
        Assert.Equal(50257, gpt2.Tokenizer.VocabularySize);
    }

    [Fact]
    public void Encode_WhenSpecialTokenIsSpelledOut_GivesItsId()
    {
        var ids = gpt2.Tokenizer.Encode("Hello<|endoftext|>");

        Assert.Equal([15496, 50256], ids);
    }

    [Fact]
    public void Save_ThenLoad_EncodesTheSame()
    {
        using var folder = new TempFolder();
        var golden = Gpt2Fixture.Goldens.Single(static candidate => candidate.Name == "random unicode");

        gpt2.Tokenizer.Save(folder.Path);

        var loaded = (ByteLevelBpe)TokenizerFolder.Load(folder.Path);
        Assert.Equal(golden.Ids, loaded.Encode(golden.Text, SpecialTokenHandling.TreatAsText));
    }

    [Fact]
    public void Encode_FromManyThreads_GivesTheReferenceIds()
    {
        var fresh = (ByteLevelBpe)TokenizerFolder.Load(gpt2.Folder);

        var result = Parallel.For(0, 200, index =>
        {
            var golden = Gpt2Fixture.Goldens[index % Gpt2Fixture.Goldens.Count];
            Assert.Equal(golden.Ids, fresh.Encode(golden.Text, SpecialTokenHandling.TreatAsText));
        });

        Assert.True(result.IsCompleted);
    }
}
