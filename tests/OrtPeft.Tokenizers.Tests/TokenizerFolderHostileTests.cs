using System.Text.Json.Nodes;
using OrtPeft.Tokenizers.Tests.Reference;

namespace OrtPeft.Tokenizers.Tests;

/// <summary>Files nobody vouches for: every fault is a <see cref="TokenizerFormatException"/> of one line.</summary>
public sealed class TokenizerFolderHostileTests
{
    /// <summary>Path of a field, what to put there, where the error is, and what it says.</summary>
    public static TheoryData<string, string, string, string> Faults => new()
    {
        { "model", "null", "the document", "\"model\" is missing" },
        { "model", "7", "model", "an object is expected" },
        { "model.type", "\"Unigram\"", "model.vocab", "an array is expected" },
        { "model.type", "\"Word\\nPiece\"", "model.type", "is not supported" },
        { "model.type", "\"Char\"", "model.type", "the model \"Char\" is not supported; BPE, Unigram, WordLevel, WordPiece are" },
        { "model.byte_fallback", "7", "model.byte_fallback", "true or false is expected" },
        { "model.ignore_merges", "\"yes\"", "model.ignore_merges", "true or false is expected" },
        { "model.dropout", "0.1", "model", "dropout is not supported" },
        { "model.dropout", "[]", "model", "dropout is not supported" },
        { "model.continuing_subword_prefix", "\"##\"", "model.merges[0]", "shorter than continuing_subword_prefix" },
        { "model.unk_token", "\"<unk>\"", "model.unk_token", "not in the vocabulary" },
        { "normalizer", "{\"type\":\"NFX\"}", "normalizer.type", "the normalizer \"NFX\" is not supported" },
        { "normalizer", "{\"type\":\"Strip\",\"strip_left\":true}", "normalizer", "\"strip_right\" is missing" },
        { "normalizer", Charsmap("****"), "normalizer.precompiled_charsmap", "not base64" },
        { "normalizer", Charsmap("/////w=="), "normalizer.precompiled_charsmap", "not a map of characters" },
        { "normalizer", "{}", "normalizer", "\"type\" is missing" },
        { "decoder", "{\"type\":\"CTC\"}", "decoder.type", "the decoder \"CTC\" is not supported" },
        { "decoder", "{\"type\":\"Metaspace\"}", "decoder", "\"replacement\" is missing" },
        { "decoder", Strip("ab", "1"), "decoder.content", "one character is expected" },
        { "decoder", Strip("a", "-1"), "decoder.start", "a number from 0 on" },
        { "pre_tokenizer", "{\"type\":\"Words\"}", "pre_tokenizer.type", "the pre-tokenizer \"Words\" is not supported" },
        { "pre_tokenizer", Pair("Words", ""), "pre_tokenizer.pretokenizers[0].type", "\"Words\"" },
        { "pre_tokenizer", Pair("Digits", ""), "pre_tokenizer.pretokenizers[0]", "\"individual_digits\" is missing" },
        { "pre_tokenizer", Metaspace("often"), "pre_tokenizer.prepend_scheme", "give one of always, first, never" },
        { "pre_tokenizer", Split("a", "Cut"), "pre_tokenizer.behavior", "\"Cut\" is not a behavior" },
        { "pre_tokenizer", Split("(a", "Removed"), "pre_tokenizer.pattern.Regex", "a ( is not closed" },
        { "pre_tokenizer", Split("(a)\\\\1", "Removed"), "pre_tokenizer.pattern.Regex", "back references are not supported" },
        { "pre_tokenizer", Split("\\\\p{Odd}", "Removed"), "pre_tokenizer.pattern.Regex", "\\p{Odd} is not supported" },
        { "pre_tokenizer", Split("(?:ab){99999}", "Removed"), "pre_tokenizer.pattern.Regex", "longer than" },
        { "post_processor", "{\"type\":\"Both\"}", "post_processor.type", "the post-processor \"Both\" is not supported" },
        {
            "post_processor",
            """
            {"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<none>"}},{"Sequence":{"id":"A"}}]}
            """,
            "post_processor.single[0].SpecialToken.id",
            "\"<none>\" is not in the vocabulary"
        },
        { "model.vocab", "null", "model", "\"vocab\" is missing" },
        { "model.vocab", "{}", "model.vocab", "empty" },
        { "model.vocab", "[\"a\"]", "model.vocab", "an object is expected" },
        { "model.vocab.new", "-1", "model.vocab", "\"new\" has id -1" },
        { "model.vocab.new", "4194304", "model.vocab", "\"new\" has id 4194304" },
        { "model.vocab.new", "1e30", "model.vocab", "1e30" },
        { "model.vocab.new", "99999999999999999999", "model.vocab", "is not an id" },
        { "model.vocab.new", "1.5", "model.vocab", "is not an id" },
        { "model.vocab.new", "\"7\"", "model.vocab", "a number is expected" },
        { "model.vocab.new", "7", "model.vocab", "share id 7" },
        { "model.merges", "{}", "model.merges", "an array is expected" },
        { "model.merges[0]", "\"h zz\"", "model.merges[0]", "\"zz\" is not in the vocabulary" },
        { "model.merges[1]", "\"h o\"", "model.merges[1]", "\"ho\" is not in the vocabulary" },
        { "model.merges[1]", "\"he\"", "model.merges[1]", "not two tokens" },
        { "model.merges[1]", "\"h e l\"", "model.merges[1]", "not two tokens" },
        { "model.merges[1]", "\" \"", "model.merges[1]", "not two tokens" },
        { "model.merges[1]", "[\"h\"]", "model.merges[1]", "1 entries" },
        { "model.merges[1]", "[\"h\",7]", "model.merges[1][1]", "a string is expected" },
        { "model.merges[1]", "7", "model.merges[1]", "an array is expected" },
        { "added_tokens[0]", "{\"id\":300}", "added_tokens[0]", "\"content\" is missing" },
        { "added_tokens[0]", "{\"content\":\"x\"}", "added_tokens[0]", "\"id\" is missing" },
        { "added_tokens[0]", "{\"id\":300,\"content\":\"\"}", "added_tokens[0]", "empty" },
        { "added_tokens[0]", "{\"id\":5,\"content\":\"<x>\"}", "added_tokens[0]", "share id 5" },
        { "added_tokens[0]", "{\"id\":300,\"content\":\"hell\"}", "added_tokens[0]", "258 in the vocabulary" },
        { "added_tokens[0]", "{\"id\":2147483647,\"content\":\"<x>\"}", "added_tokens[0]", "has id 2147483647" },
        { "added_tokens[0]", "{\"id\":300,\"content\":\"x\",\"lstrip\":1}", "added_tokens[0].lstrip", "true or false" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void Load_WhenAFieldIsWrong_NamesPlaceAndProblem(string path, string json, string place, string problem)
    {
        var document = TinyTokenizer.Document();
        document["added_tokens"] = new JsonArray(TinyTokenizer.AddedToken("<s>", 299));
        var text = Replace(document, path, json);

        var error = Assert.Throws<TokenizerFormatException>(() => TinyTokenizer.Load(text));

        Assert.Equal(place, error.Place);
        Assert.EndsWith("tokenizer.json", error.File, StringComparison.Ordinal);
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("\u0000")]
    [InlineData("{\"model\":{\"vocab\":{\"\\ud800\":0}}}")]
    [InlineData("{\"model\":{\"type\":\"\\udc00\"}}")]
    public void Load_WhenTheFileIsNoUsableJson_SaysSo(string text)
    {
        var error = Assert.Throws<TokenizerFormatException>(() => TinyTokenizer.Load(text));

        Assert.EndsWith("tokenizer.json", error.File, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Theory]
    [InlineData("\\ud800")]
    [InlineData("a \\udc00")]
    public void Load_WhenAStringIsNotUnicode_SaysSo(string merge)
    {
        var text = Replace(TinyTokenizer.Document(), "model.merges[1]", "\"@\"").Replace("\"@\"", $"\"{merge}\"",
            StringComparison.Ordinal);

        var error = Assert.Throws<TokenizerFormatException>(() => TinyTokenizer.Load(text));

        Assert.Contains("not valid Unicode", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_WhenBytesAreNotUtf8_SaysSo()
    {
        using var folder = new TempFolder();
        folder.Write("vocab.json", [(byte)'{', (byte)'"', 0xC3, (byte)'"', (byte)':', (byte)'0', (byte)'}']);
        folder.Write("merges.txt", "");

        Assert.Throws<TokenizerFormatException>(() => TokenizerFolder.Load(folder.Path));
    }

    [Fact]
    public void Load_WhenNestingIsDeep_SaysSo()
    {
        var text = new string('[', 1_000_000);

        var error = Assert.Throws<TokenizerFormatException>(() => TinyTokenizer.Load(text));

        Assert.Contains("64 levels", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_WhenATokenIsListedTwice_NamesIt()
    {
        using var folder = new TempFolder();
        folder.Write("vocab.json", """{"a":0,"a":1}""");
        folder.Write("merges.txt", "");

        var error = Assert.Throws<TokenizerFormatException>(() => TokenizerFolder.Load(folder.Path));

        Assert.Contains("\"a\" is listed twice", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a b\nab", "line 2", "\"ab\" is not two tokens")]
    [InlineData("#version\n\na x", "line 3", "\"x\" is not in the vocabulary")]
    [InlineData("b a", "line 1", "\"ba\" is not in the vocabulary")]
    [InlineData("a é日", "line 1", "not spelled in the byte alphabet")]
    [InlineData("a  b", "line 1", "not two tokens")]
    public void Load_WhenAMergesLineIsWrong_NamesTheLine(string merges, string place, string problem)
    {
        using var folder = new TempFolder();
        folder.Write("vocab.json", """{"a":0,"b":1,"ab":2,"é日":3}""");
        folder.Write("merges.txt", merges);

        var error = Assert.Throws<TokenizerFormatException>(() => TokenizerFolder.Load(folder.Path));

        Assert.Equal(place, error.Place);
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_WhenMergesAreNotUtf8_NamesTheByte()
    {
        using var folder = new TempFolder();
        folder.Write("vocab.json", """{"a":0}""");
        folder.Write("merges.txt", [(byte)'a', 0xFF]);

        var error = Assert.Throws<TokenizerFormatException>(() => TokenizerFolder.Load(folder.Path));

        Assert.Equal("byte 1", error.Place);
    }

    [Theory]
    [InlineData("""{"eos_token":"<end>"}""", "eos_token")]
    [InlineData("""{"eos_token":7}""", "eos_token")]
    [InlineData("""{"eos_token":{}}""", "eos_token")]
    [InlineData("""{"added_tokens_decoder":{"x":{"content":"y"}}}""", "added_tokens_decoder")]
    [InlineData("""{"added_tokens_decoder":{"-1":{"content":"y"}}}""", "added_tokens_decoder")]
    [InlineData("[]", "the document")]
    public void Load_WhenTheConfigIsWrong_NamesThePlace(string config, string place)
    {
        using var folder = new TempFolder();
        folder.Write("tokenizer.json", TinyTokenizer.Document().ToJsonString());
        folder.Write("tokenizer_config.json", config);

        var error = Assert.Throws<TokenizerFormatException>(() => TokenizerFolder.Load(folder.Path));

        Assert.Equal(place, error.Place);
        Assert.EndsWith("tokenizer_config.json", error.File, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "no tokenizer is there")]
    [InlineData("vocab.json", "vocab.json is there alone")]
    [InlineData("merges.txt", "merges.txt is there alone")]
    public void Load_WhenFilesAreMissing_SaysWhichAreExpected(string? present, string problem)
    {
        using var folder = new TempFolder();
        if (present is not null)
            folder.Write(present, "");

        var error = Assert.Throws<TokenizerFormatException>(() => TokenizerFolder.Load(folder.Path));

        Assert.Equal(folder.Path, error.File);
        Assert.Contains($"{problem}; expected tokenizer.json, vocab.json with merges.txt, or", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_WhenTheFolderIsMissing_SaysWhatIsExpected()
    {
        Assert.Throws<TokenizerFormatException>(() => TokenizerFolder.Load("/no/such/folder"));
    }

    [Fact]
    public void Load_WhenAValueIsLong_ShowsItsBeginning()
    {
        var text = Replace(TinyTokenizer.Document(), "model.type", $"\"{new string('x', 1_000_000)}\"");

        var error = Assert.Throws<TokenizerFormatException>(() => TinyTokenizer.Load(text));

        Assert.InRange(error.Message.Length, 50, 400);
    }

    /// <summary>The document with other JSON at a path such as <c>model.merges[0]</c>.</summary>
    private static string Replace(JsonObject document, string path, string json)
    {
        var steps = path.Replace("[", ".[", StringComparison.Ordinal).Split('.');
        JsonNode parent = document;
        foreach (var step in steps[..^1])
            parent = parent[step]!;
        var value = JsonNode.Parse(json);
        if (steps[^1].StartsWith('['))
            parent[int.Parse(steps[^1][1..^1], null)] = value;
        else
            parent[steps[^1]] = value;
        return document.ToJsonString();
    }

    /// <summary>A part before a ByteLevel that does not split, as Llama 3's pre-tokenizer.</summary>
    private static string Pair(string type, string fields)
    {
        const string ByteLevel = "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":false}";
        return $"{{\"type\":\"Sequence\",\"pretokenizers\":[{{\"type\":\"{type}\"{fields}}},{ByteLevel}]}}";
    }

    private static string Charsmap(string base64) =>
        $$"""{"type":"Precompiled","precompiled_charsmap":"{{base64}}"}""";

    private static string Strip(string content, string start) =>
        $$"""{"type":"Strip","content":"{{content}}","start":{{start}},"stop":0}""";

    private static string Metaspace(string scheme) =>
        $$"""{"type":"Metaspace","replacement":"_","prepend_scheme":"{{scheme}}"}""";

    private static string Split(string regex, string behavior) =>
        $$$"""{"type":"Split","pattern":{"Regex":"{{{regex}}}"},"behavior":"{{{behavior}}}","invert":false}""";
}
