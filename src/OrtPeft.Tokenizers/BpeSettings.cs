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

    /// <summary>Whether text is split by <see cref="Gpt2Pattern"/> before merging.</summary>
    public bool SplitsWords { get; init; } = true;
}
