namespace OrtPeft.Tokenizers.Patterns;

/// <summary>A regular expression's syntax tree.</summary>
internal abstract record PatternNode
{
    public static PatternNode Empty { get; } = new Sequence([]);

    /// <summary>One code point of a set.</summary>
    public sealed record OneOf(CodePointClass Class) : PatternNode;

    public sealed record Sequence(IReadOnlyList<PatternNode> Parts) : PatternNode;

    public sealed record Choice(IReadOnlyList<PatternNode> Branches) : PatternNode;

    /// <summary>A repetition; without an upper bound <c>Most</c> is <see cref="int.MaxValue"/>.</summary>
    public sealed record Repeat(PatternNode Body, int Least, int Most, RepeatKind Kind) : PatternNode;

    /// <summary>A group whose ways of matching are not tried again once it has matched.</summary>
    public sealed record Atomic(PatternNode Body) : PatternNode;

    public sealed record Look(PatternNode Body, bool IsBehind, bool IsNegative) : PatternNode;

    public sealed record Anchor(AnchorKind Kind) : PatternNode;
}
