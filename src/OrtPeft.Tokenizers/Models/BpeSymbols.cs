namespace OrtPeft.Tokenizers.Models;

/// <summary>How a <see cref="CharacterBpe"/> spells the characters of a word and what stands for unknown ones.</summary>
internal sealed record BpeSymbols
{
    /// <summary>Stands for an unknown character; without it such are dropped.</summary>
    public int? Unknown { get; init; }

    /// <summary>Whether neighbouring unknown characters are one token.</summary>
    public bool FusesUnknown { get; init; }

    /// <summary>Whether unknown characters are spelled by their bytes.</summary>
    public bool FallsBackToBytes { get; init; }

    /// <summary>Whether a word that is a token is taken as it is.</summary>
    public bool TakesWholeWords { get; init; }

    /// <summary>The prefix in the vocabulary of characters other than a word's first.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>The suffix in the vocabulary of a word's last character.</summary>
    public string Suffix { get; init; } = "";
}
