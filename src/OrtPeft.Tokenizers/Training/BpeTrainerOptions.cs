namespace OrtPeft.Tokenizers.Training;

/// <summary>How large a vocabulary to learn and what to keep out of it.</summary>
public sealed class BpeTrainerOptions
{
    /// <summary>
    /// Tokens wanted in all: 256 bytes, the merges, the special tokens. Default 8,000. Fewer are learned where the
    /// texts have no more pairs that are frequent enough.
    /// </summary>
    public int VocabularySize { get; init; } = 8000;

    /// <summary>
    /// Tokens that stand for structure and get the last ids. Text is cut at their spellings and nothing is learned
    /// from these. The first one ends a text. Default <c>&lt;|endoftext|&gt;</c>.
    /// </summary>
    public IReadOnlyList<string> SpecialTokens { get; init; } = ["<|endoftext|>"];

    /// <summary>A pair is merged only if it occurs at least this often in the texts; default 2.</summary>
    public int MinimumFrequency { get; init; } = 2;
}
