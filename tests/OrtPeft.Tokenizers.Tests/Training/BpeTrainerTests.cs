using FsCheck;
using FsCheck.Fluent;
using OrtPeft.Tokenizers.Tests.Reference;
using OrtPeft.Tokenizers.Training;

namespace OrtPeft.Tokenizers.Tests.Training;

public sealed class BpeTrainerTests
{
    private static readonly Gen<string[]> SmallTexts =
        Gen.Elements('a', 'a', 'b', 'c', ' ', 'é').ListOf().Select(static chars => string.Concat(chars)).ArrayOf();

    // Pairs: aa 4, ab 2, others 1. Then "aa"+"a" 2 and ab 2, of which "a" sorts before "aa". Then "aa"+"ab" 2.
    [Fact]
    public void Train_OnAWordByHand_LearnsItsMergesInOrder()
    {
        var tokenizer = BpeTrainer.Train(["aaabdaaabac"], new BpeTrainerOptions());

        Assert.Equal(["a a", "a b", "aa ab"], MergesOf(tokenizer));
    }

    [Fact]
    public void Train_OnRandomTexts_LearnsWhatCountingAnewLearns()
    {
        var agrees = Prop.ForAll(SmallTexts.ToArbitrary(), texts =>
        {
            var options = new BpeTrainerOptions { VocabularySize = 256 + 12, SpecialTokens = [] };
            var expected = NaiveBpeTraining.Learn(texts, merges: 200, minimumFrequency: 2);
            var learned = MergesOf(BpeTrainer.Train(texts, options));
            return learned.SequenceEqual(expected.Take(learned.Count)) && learned.Count >= int.Min(12, expected.Count);
        });

        agrees.Check(Config.QuickThrowOnFailure.WithReplay(20, 1).WithMaxTest(300).WithEndSize(40));
    }

    [Fact]
    public void Train_OnTheSameTextsInAnotherOrder_LearnsTheSame()
    {
        string[] texts = [.. Gpt2Fixture.Goldens.Select(static golden => golden.Text)];
        var options = new BpeTrainerOptions { VocabularySize = 600 };

        IEnumerable<string> forward = MergesOf(BpeTrainer.Train(texts, options));
        IEnumerable<string> backward = MergesOf(BpeTrainer.Train(texts.Reverse(), options));

        Assert.Equal(forward, backward);
    }

    [Fact]
    public void Train_OnAnyTexts_MakesATokenizerThatEncodesAllText()
    {
        var tokenizer = BpeTrainer.Train(["only ascii, only ascii"], new BpeTrainerOptions());

        foreach (var golden in Gpt2Fixture.Goldens)
            Assert.Equal(golden.Text.WithoutLoneSurrogates(), tokenizer.Decode(tokenizer.Encode(golden.Text)));
    }

    [Fact]
    public void Train_WithoutTexts_KnowsBytesAndSpecialTokens()
    {
        var tokenizer = BpeTrainer.Train([], new BpeTrainerOptions { SpecialTokens = ["<end>", "<pad>"] });

        Assert.Equal(258, tokenizer.VocabularySize);
        Assert.Equal(0, tokenizer.FindId("!"));
        Assert.Equal(255, tokenizer.FindId("Ń"));
        Assert.Equal(256, tokenizer.EndOfTextId);
        Assert.Equal(257, tokenizer.FindId("<pad>"));
    }

    [Fact]
    public void Train_WhenTextsSuffice_FillsTheVocabularyExactly()
    {
        string[] texts = [.. Gpt2Fixture.Goldens.Select(static golden => golden.Text)];

        var tokenizer = BpeTrainer.Train(texts, new BpeTrainerOptions { VocabularySize = 1000 });

        Assert.Equal(1000, tokenizer.VocabularySize);
        Assert.Equal(999, tokenizer.EndOfTextId);
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(2, 1)]
    [InlineData(3, 0)]
    public void Train_LeavesPairsBelowTheMinimumFrequencyApart(int minimumFrequency, int merges)
    {
        var options = new BpeTrainerOptions { MinimumFrequency = minimumFrequency };

        var tokenizer = BpeTrainer.Train(["ab", "ab!", "\t\n"], options);

        Assert.Equal(merges, MergesOf(tokenizer).Count);
    }

    [Fact]
    public void Train_WhenSpecialTokensAreInTheTexts_LearnsNothingFromThem()
    {
        var tokenizer = BpeTrainer.Train(["<|endoftext|><|endoftext|>"], new BpeTrainerOptions());

        Assert.Empty(MergesOf(tokenizer));
    }

    [Fact]
    public void Train_OnAMegabyteWithoutSpaces_LearnsFromItInPieces()
    {
        var text = string.Concat(Enumerable.Range(0, 300_000).Select(static i => (char)('a' + i * 7919 % 26)));

        var tokenizer = BpeTrainer.Train([text], new BpeTrainerOptions { VocabularySize = 500 });

        Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text)));
    }

    [Fact]
    public void Train_ReportsProgressUpToTheEnd()
    {
        var reports = new ListProgress();
        string[] texts = [.. Enumerable.Repeat("ab ab", 10_001)];

        BpeTrainer.Train(texts, new BpeTrainerOptions { VocabularySize = 300 }, reports);

        BpeTrainingProgress[] expected = [new(10_000, 256, 299), new(10_001, 258, 299)];
        Assert.Equal(expected, reports.Seen);
    }

    [Fact]
    public void Train_WhenCancelled_Throws()
    {
        using var cancellation = new CancellationTokenSource();
        cancellation.Cancel();

        Assert.Throws<OperationCanceledException>(() =>
            BpeTrainer.Train(["a"], new BpeTrainerOptions(), cancellationToken: cancellation.Token));
    }

    [Theory]
    [InlineData(256, "<e>", 2, "VocabularySize is 256")]
    [InlineData(int.MaxValue, "<e>", 2, "VocabularySize is 2147483647")]
    [InlineData(8000, "<e>", 0, "MinimumFrequency is 0")]
    [InlineData(8000, "", 2, "empty")]
    [InlineData(8000, "a", 2, "the spelling of a byte")]
    public void Train_WhenAnOptionIsWrong_SaysWhich(int size, string special, int minimumFrequency, string problem)
    {
        var options = new BpeTrainerOptions
        {
            VocabularySize = size,
            SpecialTokens = [special],
            MinimumFrequency = minimumFrequency,
        };

        var error = Assert.ThrowsAny<ArgumentException>(() => BpeTrainer.Train([], options));

        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_ThenSaveAndLoad_EncodesTheSame()
    {
        using var folder = new TempFolder();
        var text = Gpt2Fixture.Goldens.Single(static golden => golden.Name == "english").Text;
        var tokenizer = BpeTrainer.Train([text], new BpeTrainerOptions());

        tokenizer.Save(folder.Path);

        Assert.Equal(tokenizer.Encode(text), TokenizerFolder.Load(folder.Path).Encode(text));
    }

    /// <summary>The merges as <c>merges.txt</c> writes them.</summary>
    private static List<string> MergesOf(ByteLevelBpe tokenizer)
    {
        using var folder = new TempFolder();
        tokenizer.Save(folder.Path);
        return [.. File.ReadLines(Path.Combine(folder.Path, "merges.txt")).Skip(1)];
    }

    private sealed class ListProgress : IProgress<BpeTrainingProgress>
    {
        public List<BpeTrainingProgress> Seen { get; } = [];

        public void Report(BpeTrainingProgress value) => Seen.Add(value);
    }
}
