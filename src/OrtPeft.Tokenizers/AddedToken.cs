namespace OrtPeft.Tokenizers;

/// <summary>A token matched literally in the text before it is split into words, as Hugging Face defines it.</summary>
public sealed record AddedToken
{
    /// <summary>The exact spelling searched for; not empty.</summary>
    public required string Content { get; init; }

    /// <summary>The token's id, inside or beyond the model's own vocabulary.</summary>
    public required int Id { get; init; }

    /// <summary>Whether the token marks structure (end of text, padding) and is not text of its own.</summary>
    public bool IsSpecial { get; init; }

    /// <summary>Whether it counts only between non-word characters; default no.</summary>
    public bool IsSingleWord { get; init; }

    /// <summary>Whether white space before it is swallowed (<c>lstrip</c>); default no.</summary>
    public bool StripsLeft { get; init; }

    /// <summary>Whether white space after it is swallowed (<c>rstrip</c>); default no.</summary>
    public bool StripsRight { get; init; }

    /// <summary>
    /// Whether it is searched for in the normalised text. There is no normaliser here, so the effect is only that
    /// such tokens are looked for after all others.
    /// </summary>
    public bool IsNormalized { get; init; }
}
