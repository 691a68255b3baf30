namespace OrtPeft.Tokenizers;

/// <summary>How a byte-level BPE treats text, apart from its vocabulary. The defaults are GPT-2's.</summary>
internal sealed record BpeSettings
{
    /// <summary>Stands for a byte that has no token of its own; without it such bytes are dropped, as in HF.</summary>
    public int? UnknownId { get; init; }

    /// <summary>Whether neighbouring unknown bytes become one token.</summary>
    public bool FusesUnknown { get; init; }

    /// <summary>Whether a space is put before text that does not begin with one.</summary>
    public bool AddsPrefixSpace { get; init; }

    /// <summary>How text is cut into words before merging; null leaves it whole.</summary>
    public WordPattern? Pattern { get; init; } = WordPattern.Gpt2;

    /// <summary>Whether a word that is a token is taken as it is, whatever its merges (<c>ignore_merges</c>).</summary>
    public bool TakesWholeWords { get; init; }

    /// <summary>Whether text is brought into Unicode's normal form C before it is cut.</summary>
    public bool Composes { get; init; }
}
