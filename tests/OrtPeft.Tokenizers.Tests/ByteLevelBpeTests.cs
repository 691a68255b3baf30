using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using OrtPeft.Tokenizers.Tests.Reference;

namespace OrtPeft.Tokenizers.Tests;

public sealed class ByteLevelBpeTests(Gpt2Fixture gpt2) : IClassFixture<Gpt2Fixture>
{
    private static readonly Gen<string> AnyUtf16 =
        Gen.OneOf(
            Gen.Choose(0, 0x7F),
            Gen.Choose(0, 0xFFFF),
            Gen.Choose(0xD800, 0xDFFF),
            Gen.Elements<int>(' ', '\n', '\'', 's', 'e', '\u0301', '\u200D'))
        .ListOf()
        .Select(static units => string.Concat(units.Select(static unit => (char)unit)));

    [Fact]
    public void Decode_OfEncodedText_GivesTheTextBack()
    {
        var roundTrip = Prop.ForAll(AnyUtf16.ToArbitrary(), text =>
            gpt2.Tokenizer.Decode(gpt2.Tokenizer.Encode(text)) == text.WithoutLoneSurrogates());

        roundTrip.Check(Config.QuickThrowOnFailure.WithReplay(20, 1).WithMaxTest(2000).WithEndSize(200));
    }

    [Fact]
    public void Encode_OfTextWithoutSpecialTokens_IsTheConcatenationOfItsWords()
    {
        var wordWise = Prop.ForAll(AnyUtf16.ToArbitrary(), text =>
        {
            var byWords = NaivePattern.Split(text).SelectMany(word => gpt2.Tokenizer.Encode(word));
            return byWords.SequenceEqual(gpt2.Tokenizer.Encode(text));
        });

        wordWise.Check(Config.QuickThrowOnFailure.WithReplay(20, 1).WithMaxTest(1000).WithEndSize(100));
    }

    [Fact]
    public void Encode_OfEmptyText_IsEmpty()
    {
        Assert.Empty(gpt2.Tokenizer.Encode(""));
    }

    [Fact]
    public void Encode_MergesByRank()
    {
        var tokenizer = TinyTokenizer.Load(static _ => { });

        var ids = tokenizer.Encode("hello");

        Assert.Equal([258, 'o' - '!'], ids);
    }

    [Fact]
    public void Encode_OfAHundredThousandLettersInOneWord_AgreesWithMergingFromTheLeft()
    {
        var tokenizer = TinyTokenizer.Load(static _ => { });
        var word = string.Concat(Enumerable.Repeat("hell", 25_000));

        var ids = tokenizer.Encode(word);

        Assert.Equal(Enumerable.Repeat(258, 25_000), ids);
    }

    [Fact]
    public void Encode_OfAnOddRun_MergesLeftmostPairsFirst()
    {
        var tokenizer = TinyTokenizer.Load(static _ => { });

        var ids = tokenizer.Encode("lllll");

        Assert.Equal([257, 257, 'l' - '!'], ids);
    }

    [Fact]
    public void Encode_WhenPrefixSpaceIsAdded_PutsOneBeforeEachStretchOfText()
    {
        var tokenizer = TinyTokenizer.Load(static document =>
        {
            document["pre_tokenizer"]!["add_prefix_space"] = true;
            document["added_tokens"] = new JsonArray(TinyTokenizer.AddedToken("<s>", 300));
        });

        var text = tokenizer.Decode(tokenizer.Encode("a<s>b<s> c"));

        Assert.Equal(" a<s> b<s> c", text);
    }

    [Fact]
    public void Encode_WhenWordsAreNotSplit_MergesAcrossThem()
    {
        var tokenizer = TinyTokenizer.Load(static document =>
        {
            document["pre_tokenizer"]!["use_regex"] = false;
            document["model"]!["vocab"]!["oĠ"] = 259;
            document["model"]!["merges"]!.AsArray().Add("o Ġ");
        });

        var ids = tokenizer.Encode("o o");

        Assert.Equal([259, 'o' - '!'], ids);
    }

    [Fact]
    public void Encode_WhenAByteHasNoToken_GivesTheUnknownToken()
    {
        var tokenizer = TinyTokenizer.Load(static document =>
        {
            document["model"]!["vocab"]!.AsObject().Remove("x");
            document["model"]!["unk_token"] = "?";
        });

        var text = tokenizer.Decode(tokenizer.Encode("axxb"));

        Assert.Equal("a??b", text);
    }

    [Fact]
    public void Encode_WhenUnknownTokensFuse_GivesOneForNeighbours()
    {
        var tokenizer = TinyTokenizer.Load(static document =>
        {
            document["model"]!["vocab"]!.AsObject().Remove("x");
            document["model"]!["unk_token"] = "?";
            document["model"]!["fuse_unk"] = true;
        });

        var text = tokenizer.Decode(tokenizer.Encode("axxbx"));

        Assert.Equal("a?b?", text);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(259)]
    [InlineData(int.MaxValue)]
    public void Decode_WhenIdIsOutsideTheVocabulary_SaysWhichAndHowManyThereAre(int id)
    {
        var tokenizer = TinyTokenizer.Load(static _ => { });

        var error = Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.Decode([id]));

        Assert.Contains($"Id {id} is outside the vocabulary of 259", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_WhenIdInsideTheVocabularyNamesNoToken_GivesNothing()
    {
        var tokenizer = TinyTokenizer.WithAddedTokens(TinyTokenizer.AddedToken("<s>", 300));

        var text = tokenizer.Decode([270, 300]);

        Assert.Equal("<s>", text);
    }

    [Theory]
    [InlineData("hell", 258)]
    [InlineData("Ġ", 220)]
    [InlineData("<s>", 300)]
    [InlineData("absent", null)]
    public void FindId_KnowsVocabularyAndAddedTokens(string token, int? expected)
    {
        var tokenizer = TinyTokenizer.WithAddedTokens(TinyTokenizer.AddedToken("<s>", 300));

        Assert.Equal(expected, tokenizer.FindId(token));
    }

    [Theory]
    [InlineData(256, null)]
    [InlineData(0, null)]
    [InlineData(2, 1)]
    [InlineData(128001, 128000)]
    public void OfBytes_EncodesEveryByte_AroundItsSpecialTokens(int end, int? begin)
    {
        var tokenizer = ByteLevelBpe.OfBytes(end, begin);
        var text = string.Concat(Enumerable.Range(0, 0x2000).Select(static i => (char)i));

        var ids = tokenizer.Encode(text);

        Assert.Equal(text, tokenizer.Decode(ids));
        Assert.Equal(System.Text.Encoding.UTF8.GetByteCount(text), ids.Count);
        Assert.DoesNotContain(ids, tokenizer.IsSpecial);
        Assert.Equal(end, tokenizer.EndOfTextId);
        Assert.Equal(begin, tokenizer.BeginOfTextId);
    }

    [Theory]
    [InlineData(-1, null)]
    [InlineData(5, 5)]
    [InlineData(int.MaxValue, null)]
    public void OfBytes_OfIdsThatCannotBe_Throws(int end, int? begin) =>
        Assert.Throws<TokenizerFormatException>(() => ByteLevelBpe.OfBytes(end, begin));

    [Fact]
    public void OfBytes_SavedAndLoaded_IsTheSame()
    {
        using var folder = new TempFolder();
        ByteLevelBpe.OfBytes(2, 1).Save(folder.Path);

        var loaded = TokenizerFolder.Load(folder.Path);

        Assert.Equal([4, 5], loaded.Encode("#$"));
        Assert.Equal((2, 1), (loaded.EndOfTextId, loaded.BeginOfTextId));
    }
}
