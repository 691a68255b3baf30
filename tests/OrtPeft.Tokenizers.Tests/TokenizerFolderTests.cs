using System.Text.Json.Nodes;
using OrtPeft.Tokenizers.Tests.Reference;

namespace OrtPeft.Tokenizers.Tests;

public sealed class TokenizerFolderTests
{
    private const string Vocabulary = """{"a":0,"b":1,"ab":2,"<|endoftext|>":3,"</s>":4}""";

    [Theory]
    [InlineData("vocab.json", "merges.txt")]
    [InlineData("encoder.json", "vocab.bpe")]
    public void Load_OfVocabularyAndMerges_TakesBothPairsOfNames(string vocabulary, string merges)
    {
        using var folder = new TempFolder();
        folder.Write(vocabulary, Vocabulary);
        folder.Write(merges, "#version: 0.2\na b\n");

        var tokenizer = (ByteLevelBpe)TokenizerFolder.Load(folder.Path);

        Assert.Equal([2, 0], tokenizer.Encode("aba"));
    }

    /// <summary>The Hugging Face Hub's cache has links in its folders, and people have links to these folders.</summary>
    [Fact]
    public void Load_ThroughALinkToAFolderOfLinks_ReadsTheFiles()
    {
        using var folder = new TempFolder();
        folder.Write("one", Vocabulary);
        folder.Write("two", "a b\n");
        var snapshot = Directory.CreateDirectory(Path.Combine(folder.Path, "snapshots", "abc")).FullName;
        File.CreateSymbolicLink(Path.Combine(snapshot, "vocab.json"), "../../one");
        File.CreateSymbolicLink(Path.Combine(snapshot, "merges.txt"), "../../two");
        var mine = Directory.CreateSymbolicLink(Path.Combine(folder.Path, "mine"), snapshot).FullName;

        var tokenizer = (ByteLevelBpe)TokenizerFolder.Load(mine);

        Assert.Equal([2, 0], tokenizer.Encode("aba"));
    }

    [Theory]
    [InlineData("a b")]
    [InlineData("a b\r\n")]
    [InlineData("#version: 0.2\r\na b\r\n\r\n")]
    [InlineData("\uFEFF#version: 0.2\na b")]
    public void Load_OfMerges_TakesThemWithAndWithoutVersionAndWithAnyLineEnds(string merges)
    {
        using var folder = new TempFolder();
        folder.Write("vocab.json", Vocabulary);
        folder.Write("merges.txt", merges);

        var tokenizer = (ByteLevelBpe)TokenizerFolder.Load(folder.Path);

        Assert.Equal([2], tokenizer.Encode("ab"));
    }

    [Theory]
    [InlineData("tokenizer_config.json", """{"eos_token":"</s>"}""", 4)]
    [InlineData("tokenizer_config.json", """{"eos_token":{"content":"</s>","lstrip":false}}""", 4)]
    [InlineData("tokenizer_config.json", """{"eos_token":null}""", 3)]
    [InlineData("special_tokens_map.json", """{"eos_token":"</s>"}""", 4)]
    [InlineData("unrelated.json", "{", 3)]
    public void Load_FindsTheEndOfTextInTheFilesBeside(string name, string text, int expected)
    {
        using var folder = new TempFolder();
        folder.Write("vocab.json", Vocabulary);
        folder.Write("merges.txt", "a b");
        folder.Write(name, text);

        var tokenizer = (ByteLevelBpe)TokenizerFolder.Load(folder.Path);

        Assert.Equal(expected, tokenizer.EndOfTextId);
    }

    [Fact]
    public void Load_WhenConfigNamesAnEndOfText_RecognizesItInText()
    {
        using var folder = new TempFolder();
        folder.Write("vocab.json", Vocabulary);
        folder.Write("merges.txt", "a b");
        folder.Write("tokenizer_config.json", """{"eos_token":"</s>"}""");

        var tokenizer = (ByteLevelBpe)TokenizerFolder.Load(folder.Path);

        Assert.Equal([0, 4, 1], tokenizer.Encode("a</s>b"));
    }

    [Fact]
    public void Load_OfVocabularyAndMerges_TakesAddedTokensOfTheConfig()
    {
        using var folder = new TempFolder();
        folder.Write("vocab.json", Vocabulary);
        folder.Write("merges.txt", "a b");
        folder.Write("tokenizer_config.json", """{"added_tokens_decoder":{"9":{"content":"<x>","special":true}}}""");

        var tokenizer = (ByteLevelBpe)TokenizerFolder.Load(folder.Path);

        Assert.Equal([0, 9], tokenizer.Encode("a<x>"));
    }

    [Fact]
    public void Load_OfVocabularyAndMerges_TakesAddedTokensOfTheirOldFile()
    {
        using var folder = new TempFolder();
        folder.Write("vocab.json", Vocabulary);
        folder.Write("merges.txt", "a b");
        folder.Write("added_tokens.json", """{"<x>":9}""");

        var tokenizer = (ByteLevelBpe)TokenizerFolder.Load(folder.Path);

        Assert.Equal([0, 9], tokenizer.Encode("a<x>"));
    }

    [Fact]
    public void Load_OfAFile_TakesItWhateverItsName()
    {
        using var folder = new TempFolder();
        var file = folder.Write("mine.json", TinyTokenizer.Document().ToJsonString());

        var tokenizer = (ByteLevelBpe)TokenizerFolder.Load(file);

        Assert.Equal(259, tokenizer.VocabularySize);
    }

    [Fact]
    public void Load_OfMergesAsPairs_GivesTheSameAsOfMergesAsStrings()
    {
        var tokenizer = TinyTokenizer.Load(static document =>
            document["model"]!["merges"] = JsonNode.Parse("""[["h","e"],["l","l"],["he","ll"]]"""));

        Assert.Equal([258], tokenizer.Encode("hell"));
    }

    [Fact]
    public void Load_WhenByteLevelStandsInASequence_FindsIt()
    {
        var tokenizer = TinyTokenizer.Load(static document => document["pre_tokenizer"] = new JsonObject
        {
            ["type"] = "Sequence",
            ["pretokenizers"] = new JsonArray(TinyTokenizer.ByteLevel()),
        });

        Assert.Equal([258], tokenizer.Encode("hell"));
    }

    [Fact]
    public void Save_ThenLoad_KeepsAddedTokensAndSettings()
    {
        using var folder = new TempFolder();
        var tokenizer = TinyTokenizer.Load(static document =>
        {
            document["pre_tokenizer"]!["add_prefix_space"] = true;
            document["added_tokens"] = new JsonArray(
                TinyTokenizer.AddedToken("<|endoftext|>", 300, "special", "lstrip"),
                TinyTokenizer.AddedToken("<é>", 310, "rstrip", "normalized", "single_word"));
        });

        tokenizer.Save(folder.Path);

        var loaded = (ByteLevelBpe)TokenizerFolder.Load(folder.Path);
        Assert.Equal(tokenizer.AddedTokens.AsEnumerable(), loaded.AddedTokens);
        Assert.Equal(300, loaded.EndOfTextId);
        Assert.Equal(tokenizer.Encode("x <|endoftext|>hello"), loaded.Encode("x <|endoftext|>hello"));
    }

    [Fact]
    public void Save_WritesFourFilesAndLeavesNoTemporaryOnes()
    {
        using var folder = new TempFolder();
        var target = Path.Combine(folder.Path, "new", "folder");
        var tokenizer = TinyTokenizer.Load(static _ => { });

        tokenizer.Save(target);
        tokenizer.Save(target);

        var names = Directory.GetFiles(target).Select(static file => Path.GetFileName(file));
        string[] expected = ["merges.txt", "tokenizer.json", "tokenizer_config.json", "vocab.json"];
        Assert.Equal(expected, names.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Save_WritesVocabularyAndMergesThatLoadAlone()
    {
        using var folder = new TempFolder();
        var tokenizer = TinyTokenizer.Load(static _ => { });
        tokenizer.Save(folder.Path);

        File.Delete(Path.Combine(folder.Path, "tokenizer.json"));

        Assert.Equal([258, 220, 256], TokenizerFolder.Load(folder.Path).Encode("hell he"));
    }

    [Fact]
    public void Save_WritesEveryFieldHuggingFaceExpects()
    {
        using var folder = new TempFolder();
        TinyTokenizer.Load(static _ => { }).Save(folder.Path);

        var written = JsonNode.Parse(File.ReadAllText(Path.Combine(folder.Path, "tokenizer.json")))!.AsObject();

        string[] expected =
        [
            "version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor",
            "decoder", "model",
        ];
        Assert.Equal(expected, written.Select(static member => member.Key));
        Assert.Equal(
            """{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}""",
            written["pre_tokenizer"]!.ToJsonString());
    }
}
