using System.Text.Json.Nodes;

namespace OrtPeft.Models.Checkpoints.Gguf;

/// <summary>Byte-level BPE as a name in <c>tokenizer.ggml.pre</c> means it.</summary>
/// <param name="Names">The names in files, the one that is written first.</param>
/// <param name="PreTokenizer">Makes what stands in HF's <c>tokenizer.json</c>.</param>
/// <seealso href="https://github.com/ggml-org/llama.cpp/blob/master/src/llama-vocab.cpp">llama.cpp's table.</seealso>
internal sealed record GgufSplits(IReadOnlyList<string> Names, Func<JsonNode> PreTokenizer)
{
    private const string Endings = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
    private const string Words = Endings + @"|[^\r\n\p{L}\p{N}]?\p{L}+|";
    private const string Rest = @"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    /// <summary>Words that end in lower case, and those that begin in upper case, as o200k and Tekken split them.</summary>
    private const string Lower = @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+";
    private const string Upper = @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*";
    private const string RestWithSlashes = @"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    /// <summary>A sign with the word after it, words with marks, and signs with the ends of lines after them.</summary>
    private const string DeepSeek3 = @"[!""#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
        + @"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    /// <summary>Whether words that are tokens are taken whole, whatever the merges make of them.</summary>
    public bool IgnoresMerges { get; private init; }

    /// <summary>Whether texts begin with the token for it where the file does not say.</summary>
    public bool AddsBegin { get; private init; }

    /// <summary>Whether HF's tokenizer brings texts into NFC first.</summary>
    public bool Normalizes { get; private init; }

    /// <summary>The rows.</summary>
    public static IReadOnlyList<GgufSplits> All { get; } =
    [
        new(["gpt-2"], static () => ByteLevel(splits: true)),
        new(["smollm", "starcoder", "refact", "codeshell"], static () => Sequence(
            new JsonObject { ["type"] = "Digits", ["individual_digits"] = true }, ByteLevel(splits: true))),
        new(["deepseek-coder"], static () => Patterns(
            @"[\r\n]", @"\s?\p{L}+", @"\s?\p{P}+", "[\u4E00-\u9FA5\u0800-\u4E00\uAC00-\uD7FF]+", @"\p{N}")),
        new(["deepseek-v3", "hunyuan-dense"], static () => Patterns(
            @"\p{N}{1,3}", "[\u4E00-\u9FA5\u3040-\u309F\u30A0-\u30FF]+", DeepSeek3)),
        new(["llama-bpe", "llama3", "llama-v3", "falcon3"], static () => Patterns($@"{Words}\p{{N}}{{1,3}}{Rest}"))
        {
            IgnoresMerges = true,
            AddsBegin = true,
        },
        new(["dbrx", "smaug-bpe"], static () => Patterns($@"{Words}\p{{N}}{{1,3}}{Rest}")),
        new(["qwen2", "deepseek-r1-qwen"], static () => Patterns($@"{Words}\p{{N}}{Rest}")) { Normalizes = true },
        new(["tekken"], static () => Patterns($@"{Lower}|{Upper}|\p{{N}}{RestWithSlashes}"))
        {
            IgnoresMerges = true,
            AddsBegin = true,
        },
        new(["gpt-4o"], static () => Patterns($@"{Lower}{Endings}?|{Upper}{Endings}?|\p{{N}}{{1,3}}{RestWithSlashes}")),
    ];

    /// <summary>The row of a name in a file, or null.</summary>
    public static GgufSplits? Of(string name) => All.FirstOrDefault(s => s.Names.Contains(name));

    /// <summary>The name for a tokenizer; null where llama.cpp's are not known to be the same.</summary>
    /// <param name="preTokenizer">What stands in <c>tokenizer.json</c>.</param>
    /// <param name="ignoresMerges">Whether its model takes words that are tokens whole.</param>
    public static string? NameFor(JsonNode? preTokenizer, bool ignoresMerges) => All
        .Where(s => s.IgnoresMerges == ignoresMerges && Same(s.PreTokenizer(), preTokenizer))
        .Select(static s => s.Names[0]).FirstOrDefault();

    /// <summary>HF's step from bytes to letters.</summary>
    /// <param name="splits">Whether it splits texts too, as GPT-2 does.</param>
    public static JsonObject ByteLevel(bool splits) => new()
    {
        ["type"] = "ByteLevel",
        ["add_prefix_space"] = false,
        ["trim_offsets"] = true,
        ["use_regex"] = splits,
    };

    /// <summary>Whether two say the same; how offsets are trimmed changes no token.</summary>
    private static bool Same(JsonNode one, JsonNode? other)
    {
        var (left, right) = (one.DeepClone(), other?.DeepClone());
        foreach (var step in new[] { left, right }.SelectMany(static n =>
            n?["pretokenizers"] is JsonArray steps ? steps.OfType<JsonObject>() : n is JsonObject own ? [own] : []))
            step.Remove("trim_offsets");
        return JsonNode.DeepEquals(left, right);
    }

    /// <summary>Each pattern splits what those before it left.</summary>
    private static JsonObject Patterns(params IEnumerable<string> patterns) => Sequence(
    [
        .. patterns.Select(static pattern => new JsonObject
        {
            ["type"] = "Split",
            ["pattern"] = new JsonObject { ["Regex"] = pattern },
            ["behavior"] = "Isolated",
            ["invert"] = false,
        }),
        ByteLevel(splits: false),
    ]);

    private static JsonObject Sequence(params JsonNode[] steps) =>
        new() { ["type"] = "Sequence", ["pretokenizers"] = new JsonArray(steps) };
}
