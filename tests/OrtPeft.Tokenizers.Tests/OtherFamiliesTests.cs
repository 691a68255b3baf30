using System.Text.Json.Nodes;
using OrtPeft.Tokenizers.Tests.Reference;

namespace OrtPeft.Tokenizers.Tests;

/// <summary>What the files of Llama 3 and Qwen2 have and GPT-2's have not.</summary>
public sealed class OtherFamiliesTests
{
    private const int Start = 300;

    /// <summary>Ids of "he", "ll", "hell" and, where a test adds it, a word without merges.</summary>
    private const int He = 256;
    private const int Hell = 258;
    private const int Whole = 259;

    [Fact]
    public void Encode_WhenASplitComesFirst_CutsByItsPattern()
    {
        var llama = TinyTokenizer.Load(static d => d["pre_tokenizer"] = Split(WordPattern.Llama3.Regex));
        var qwen = TinyTokenizer.Load(static d => d["pre_tokenizer"] = Split(WordPattern.Qwen2.Regex));
        var gpt2 = TinyTokenizer.Load(static d => d["pre_tokenizer"] = Split(WordPattern.Gpt2.Regex));

        const string Text = "12345 (he\n\nx";
        Assert.All([llama, qwen, gpt2], static t => Assert.Equal([Hell], t.Encode("hell")));
        Assert.All([llama, qwen, gpt2], static t => Assert.Equal(Text, t.Decode(t.Encode(Text))));
    }

    /// <summary>Digits are set apart before words are: a space before one stays alone.</summary>
    [Fact]
    public void Encode_WhenDigitsComeFirst_SetsEachApart()
    {
        var tokenizer = TinyTokenizer.Load(static document =>
        {
            document["pre_tokenizer"] = new JsonObject
            {
                ["type"] = "Sequence",
                ["pretokenizers"] = new JsonArray(
                    new JsonObject { ["type"] = "Digits", ["individual_digits"] = true }, TinyTokenizer.ByteLevel()),
            };
            document["model"]!["vocab"]!.AsObject().Add("\u01201", Whole);
            document["model"]!["merges"]!.AsArray().Add("\u0120 1");
        });

        Assert.Equal([" ", "1", "2", " ", "hell"], tokenizer.Encode(" 12 hell").Select(id => tokenizer.Decode([id])));
    }

    [Theory]
    [InlineData(3, new[] { "123", "45" })]
    [InlineData(1, new[] { "1", "2", "3", "4", "5" })]
    public void Encode_OfDigits_MergesWithinThePatternsGroups(int digits, string[] expected)
    {
        var regex = digits == 3 ? WordPattern.Llama3.Regex : WordPattern.Qwen2.Regex;
        var tokenizer = TinyTokenizer.Load(document =>
        {
            document["pre_tokenizer"] = Split(regex);
            var model = document["model"]!.AsObject();
            foreach (var token in (string[])["12", "123", "34", "45"])
                model["vocab"]!.AsObject().Add(token, model["vocab"]!.AsObject().Count);
            model["merges"] = new JsonArray("1 2", "12 3", "3 4", "4 5");
        });

        var ids = tokenizer.Encode("12345");

        Assert.Equal(expected, ids.Select(id => tokenizer.Decode([id])));
    }

    [Theory]
    [InlineData(true, new[] { Whole })]
    [InlineData(false, new[] { Hell, 'o' - '!' })]
    public void Encode_WhenMergesAreIgnored_TakesAWholeWord(bool ignores, int[] expected)
    {
        var tokenizer = TinyTokenizer.Load(document =>
        {
            document["model"]!["vocab"]!.AsObject().Add("hello", Whole);
            document["model"]!["ignore_merges"] = ignores;
        });

        Assert.Equal(expected, tokenizer.Encode("hello"));
        Assert.Equal([Hell, .. tokenizer.Encode("x")], tokenizer.Encode("hellx"));
        Assert.Equal([He], tokenizer.Encode("he"));
    }

    [Fact]
    public void Encode_WhenNormalizedToC_ComposesLettersButNotAddedTokens()
    {
        var tokenizer = TinyTokenizer.Load(static document =>
        {
            document["normalizer"] = new JsonObject { ["type"] = "NFC" };
            document["added_tokens"] = new JsonArray(TinyTokenizer.AddedToken("<e\u0301>", Start, "special"));
        });

        Assert.Equal(tokenizer.Encode("\u00E9"), tokenizer.Encode("e\u0301"));
        Assert.Equal([Start, .. tokenizer.Encode("\u00E9")], tokenizer.Encode("<e\u0301>e\u0301"));
        Assert.Equal("\uFFFDa", tokenizer.Decode(tokenizer.Encode("\uD800a")));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void BeginOfTextId_WhenATemplateNamesOne_IsPutBeforeTextsOnce(bool isInSequence)
    {
        var tokenizer = WithStart(isInSequence);

        Assert.Equal(Start, tokenizer.BeginOfTextId);
        Assert.Equal([Hell], tokenizer.Encode("hell"));
        Assert.Equal([Start, Hell], tokenizer.WithStart(tokenizer.Encode("hell")));
        Assert.Equal([Start, Hell], tokenizer.WithStart(tokenizer.Encode("<|begin|>hell")));
        Assert.Equal([Start], tokenizer.WithStart([]));
    }

    [Fact]
    public void BeginOfTextId_WhenThePostProcessorIsByteLevel_IsNull()
    {
        var tokenizer = TinyTokenizer.Load(static d => d["post_processor"] = TinyTokenizer.ByteLevel());

        Assert.Null(tokenizer.BeginOfTextId);
        Assert.Equal([Hell], tokenizer.WithStart([Hell]));
    }

    [Fact]
    public void Save_OfAllOfIt_LoadsAsTheSame()
    {
        using var folder = new TempFolder();
        var tokenizer = TinyTokenizer.Load(static document =>
        {
            document["normalizer"] = new JsonObject { ["type"] = "NFC" };
            document["pre_tokenizer"] = Split(WordPattern.Qwen2.Regex);
            document["added_tokens"] = new JsonArray(TinyTokenizer.AddedToken("<|begin|>", Start, "special"));
            document["post_processor"] = Template();
            document["model"]!["vocab"]!.AsObject().Add("hello", Whole);
            document["model"]!["ignore_merges"] = true;
        });

        tokenizer.Save(folder.Path);

        var loaded = (ByteLevelBpe)TokenizerFolder.Load(folder.Path);
        const string Text = "hello (hell) 123 e\u0301\n\n<|begin|>x";
        Assert.Equal(tokenizer.Encode(Text), loaded.Encode(Text));
        Assert.Contains(Whole, loaded.Encode(Text));
        Assert.Equal(Start, loaded.BeginOfTextId);
    }

    /// <summary>Two files say nothing of words: the class beside them decides.</summary>
    [Theory]
    [InlineData("Qwen2Tokenizer", 1)]
    [InlineData("GPT2Tokenizer", 2)]
    public void Load_OfVocabularyAndMerges_TakesTheClasssPattern(string tokenizerClass, int expected)
    {
        using var folder = new TempFolder();
        folder.Write("vocab.json", """{"1":0,"2":1,"12":2,"é":3}""".Replace("é", "e", StringComparison.Ordinal));
        folder.Write("merges.txt", "1 2\n");
        folder.Write("tokenizer_config.json", $$"""{"tokenizer_class":"{{tokenizerClass}}"}""");

        Assert.Equal(expected == 1 ? [0, 1] : [2], TokenizerFolder.Load(folder.Path).Encode("12"));
    }

    [Fact]
    public void Load_WhenASentencePieceModelIsEmpty_SaysSo()
    {
        using var folder = new TempFolder();
        folder.Write("tokenizer.model", "");

        var error = Assert.Throws<TokenizerFormatException>(() => TokenizerFolder.Load(folder.Path));

        Assert.Contains("size: empty", error.Message, StringComparison.Ordinal);
    }

    private static ByteLevelBpe WithStart(bool isInSequence) => TinyTokenizer.Load(document =>
    {
        document["added_tokens"] = new JsonArray(TinyTokenizer.AddedToken("<|begin|>", Start, "special"));
        document["post_processor"] = isInSequence
            ? new JsonObject
            {
                ["type"] = "Sequence",
                ["processors"] = new JsonArray(TinyTokenizer.ByteLevel(), Template()),
            }
            : Template();
    });

    private static JsonObject Template() => JsonNode.Parse("""
        {"type":"TemplateProcessing",
        "single":[{"SpecialToken":{"id":"<|begin|>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],
        "pair":[{"Sequence":{"id":"A","type_id":0}},{"Sequence":{"id":"B","type_id":1}}],
        "special_tokens":{"<|begin|>":{"id":"<|begin|>","ids":[300],"tokens":["<|begin|>"]}}}
        """)!.AsObject();

    private static JsonObject Split(string regex) => new()
    {
        ["type"] = "Sequence",
        ["pretokenizers"] = new JsonArray(
            new JsonObject
            {
                ["type"] = "Split",
                ["pattern"] = new JsonObject { ["Regex"] = regex },
                ["behavior"] = "Isolated",
                ["invert"] = false,
            },
            new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["use_regex"] = false }),
    };
}
