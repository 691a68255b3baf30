using System.Collections.Immutable;

namespace OrtPeft.Tokenizers;

/// <summary>The content of a byte-level BPE's files, checked by <see cref="BpeModelBuilder"/>. Immutable.</summary>
internal sealed class BpeModel
{
    /// <summary>Vocabulary strings by id; null where an id is unused or belongs to an added token only.</summary>
    public required ImmutableArray<string?> Tokens { get; init; }

    /// <summary>Ids by vocabulary string.</summary>
    public required IReadOnlyDictionary<string, int> Ids { get; init; }

    /// <summary>In rank order.</summary>
    public required ImmutableArray<MergeRule> Merges { get; init; }

    /// <summary>In id order.</summary>
    public required ImmutableArray<AddedToken> AddedTokens { get; init; }

    public required BpeSettings Settings { get; init; }

    public int? EndOfTextId { get; init; }

    /// <summary>The tokens that a post-processor puts around a text.</summary>
    public TextFrame Frame { get; init; } = TextFrame.None;

    /// <summary>How files spell a token that exists.</summary>
    public string SpellingOf(int id) => Tokens[id] ?? AddedTokens.First(token => token.Id == id).Content;
}
