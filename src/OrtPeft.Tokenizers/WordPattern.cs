namespace OrtPeft.Tokenizers;

/// <summary>A way to cut text into words before merging: a pattern as files spell it, and code for it.</summary>
/// <param name="regex">The regular expression, in the words of <c>tokenizer.json</c>.</param>
/// <param name="matchLength">The length in UTF-16 units of the first match in non-empty text.</param>
internal sealed class WordPattern(string regex, WordPattern.Matcher matchLength)
{
    private const string Contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
    private const string Letters = @"[^\r\n\p{L}\p{N}]?\p{L}+";
    private const string Rest = @" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private static readonly WordPattern[] Rows =
    [
        new(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+", Gpt2Pattern.MatchLength),
        new($@"{Contractions}|{Letters}|\p{{N}}{{1,3}}|{Rest}", static text => Cl100kPattern.MatchLength(text, 3)),
        new($@"{Contractions}|{Letters}|\p{{N}}|{Rest}", static text => Cl100kPattern.MatchLength(text, 1)),
        new(
            @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+|\s+(?=\p{N})|\s+(?!\S)|\s+",
            Gpt2Pattern.MatchLengthOfSingleDigits),
    ];

    /// <summary>Finds the first word.</summary>
    public delegate int Matcher(ReadOnlySpan<char> text);

    public static WordPattern Gpt2 => Rows[0];

    public static WordPattern Llama3 => Rows[1];

    public static WordPattern Qwen2 => Rows[2];

    /// <summary>GPT-2's words after each number was set apart, as SmolLM2's.</summary>
    public static WordPattern SingleDigits => Rows[3];

    public string Regex => regex;

    public int MatchLength(ReadOnlySpan<char> text) => matchLength(text);

    /// <summary>The pattern that a file spells, or null when no code matches it.</summary>
    public static WordPattern? Find(string regex) => Rows.FirstOrDefault(row => row.Regex == regex);
}
