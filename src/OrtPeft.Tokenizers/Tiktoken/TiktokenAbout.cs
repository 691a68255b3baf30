using OrtPeft.Tokenizers.Json;
using OrtPeft.Tokenizers.Patterns;
using OrtPeft.Tokenizers.Serialization;

namespace OrtPeft.Tokenizers.Tiktoken;

/// <summary>The facts that a tiktoken file leaves out: how text is cut, and the special tokens.</summary>
internal sealed record TiktokenAbout
{
    private const string Begins = "<|begin_of_text|>";

    /// <summary>Of Llama 3's 256 special tokens, the first ones.</summary>
    private static readonly string[] Llama3 =
    [
        Begins, "<|end_of_text|>", "<|reserved_special_token_0|>", "<|reserved_special_token_1|>",
        "<|reserved_special_token_2|>", "<|reserved_special_token_3|>", "<|start_header_id|>", "<|end_header_id|>",
        "<|reserved_special_token_4|>", "<|eot_id|>",
    ];

    private static readonly string[] Qwen = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];

    public required RegexPattern Pattern { get; init; }

    public required IReadOnlyList<AddedToken> Special { get; init; }

    /// <summary>The token before every text, where it is one.</summary>
    public string? Begin { get; init; }

    /// <summary>The token that ends a text, where it is one.</summary>
    public string? End { get; init; }

    /// <param name="file">The tiktoken file.</param>
    /// <param name="size">The first id after its own.</param>
    public static TiktokenAbout Find(string file, int size)
    {
        var about = Path.Combine(Path.GetDirectoryName(file) ?? "", FileNames.TiktokenAbout);
        if (File.Exists(about))
            return TextFile.ReadJson(about, Read);
        var isQwen = file.EndsWith(".tiktoken", StringComparison.Ordinal);
        var names = isQwen
            ? Qwen.Concat(Enumerable.Range(0, 205).Select(static i => $"<|extra_{i}|>"))
            : Llama3.Concat(Enumerable.Range(5, 246).Select(static i => $"<|reserved_special_token_{i}|>"));
        var regex = (isQwen ? WordPattern.Qwen2 : WordPattern.Llama3).Regex;
        return new TiktokenAbout
        {
            Pattern = new RegexPattern(regex, new SourcePlace(file, "the pattern"), isRust: true),
            Special = [.. names.Select((name, i) => Token(name, size + i))],
            Begin = isQwen ? null : Begins,
            End = isQwen ? Qwen[0] : Llama3[1],
        };
    }

    private static TiktokenAbout Read(JsonField root) => new()
    {
        Pattern = TextPatternReader.ReadRegex(root.Get("pattern"), isRust: true),
        Special = [.. (root.Find("special_tokens")?.Members() ?? []).Select(static m => Token(m.Name, m.Field.AsInt32()))],
        Begin = Begins,
        End = Llama3[1],
    };

    private static AddedToken Token(string name, int id) => new() { Content = name, Id = id, IsSpecial = true };
}
