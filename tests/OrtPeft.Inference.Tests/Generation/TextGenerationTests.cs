using OrtPeft.Inference.Generation;

namespace OrtPeft.Inference.Tests.Generation;

public sealed class TextGenerationTests
{
    private static readonly GenerationOptions Sampling = new() { Temperature = 5, MaxNewTokens = 60 };

    [Fact]
    public void Generate_FromText_ContinuesItsTokens()
    {
        using var generator = Generator.Open(Fixture.Load(Fixture.Past));

        var tokens = generator.Generate(new LetterTokenizer(), "abc", new() { MaxNewTokens = 9 });

        Assert.Equal(generator.Generate(['a' - ' ', 'b' - ' ', 'c' - ' '], new() { MaxNewTokens = 9 }), tokens);
    }

    [Fact]
    public void Generate_WithAVocabularySmallerThanTheModels_KeepsToIt()
    {
        using var generator = Generator.Open(Fixture.Load(Fixture.NoPast));

        var small = generator.Generate(new LetterTokenizer(), "abc", Sampling).ToArray();
        var smaller = generator.Generate(new LetterTokenizer(), "abc", Sampling with { VocabularySize = 9 }).ToArray();

        Assert.All(small, static id => Assert.InRange(id, 0, 97));
        Assert.All(smaller, static id => Assert.InRange(id, 0, 8));
    }

    [Fact]
    public void Generate_FromEmptyText_StartsFromTheEndOfText()
    {
        using var generator = Generator.Open(Fixture.Load(Fixture.Past));
        var options = Sampling with { EosTokenId = 100, VocabularySize = 101 };

        var tokens = generator.Generate(new LetterTokenizer { EndOfTextId = 97 }, "", options);

        Assert.Equal(generator.Generate([97], options), tokens);
        Assert.ThrowsAny<ArgumentException>(() => generator.Generate(new LetterTokenizer(), ""));
    }

    [Theory]
    [InlineData("ab", new[] { 7, 'a' - ' ', 'b' - ' ' })]
    [InlineData("", new[] { 7 })]
    public void Generate_WhenTextsBeginWithAToken_PutsItFirst(string prompt, int[] expected)
    {
        using var generator = Generator.Open(Fixture.Load(Fixture.Past));
        var options = new GenerationOptions { MaxNewTokens = 9 };

        var tokens = generator.Generate(new LetterTokenizer { BeginOfTextId = 7 }, prompt, options);

        Assert.Equal(generator.Generate(expected, options), tokens);
    }

    [Fact]
    public void Generate_WhenTheTokenizerNamesAnEnd_StopsThere()
    {
        using var generator = Generator.Open(Fixture.Load(Fixture.Past));
        var all = generator.Generate(new LetterTokenizer(), "abc", Sampling).ToArray();

        var tokens = generator.Generate(new LetterTokenizer { EndOfTextId = all[5] }, "abc", Sampling);

        Assert.Equal(all.TakeWhile(t => t != all[5]), tokens);
        Assert.Equal(FinishReason.EndOfText, tokens.FinishReason);
    }

    [Fact]
    public void StreamText_HoldsAnUnfinishedCharacterBack()
    {
        const int First = LetterTokenizer.FirstByteOfE;
        int[] tokens = [65, First, LetterTokenizer.SecondByteOfE, 66, First];

        var pieces = new LetterTokenizer().StreamText(tokens);

        Assert.Equal(["a", "é", "b", "\uFFFD"], pieces);
    }
}
