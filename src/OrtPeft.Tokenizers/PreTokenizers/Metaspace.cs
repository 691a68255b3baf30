using OrtPeft.Tokenizers.Alignment;
using OrtPeft.Tokenizers.Patterns;

namespace OrtPeft.Tokenizers.PreTokenizers;

/// <summary>SentencePiece's visible space: put in the place of spaces, perhaps before the text, perhaps cut at.</summary>
internal sealed record Metaspace
{
    private const string Space = " ";

    /// <summary>The visible space, as a rule U+2581.</summary>
    public required string Replacement { get; init; }

    public required PrependScheme Prepend { get; init; }

    /// <summary>Whether every visible space begins a new piece.</summary>
    public required bool Splits { get; init; }

    public IEnumerable<AlignedText> Split(AlignedText piece)
    {
        piece = piece.Replace(TextPatterns.Literal(Space)(piece.Text), Replacement);
        var isWanted = Prepend == PrependScheme.Always || (Prepend == PrependScheme.First && piece.Start == 0);
        if (isWanted && !piece.Text.StartsWith(Replacement, StringComparison.Ordinal))
            piece = piece.Prepend(Replacement);
        if (!Splits)
            return [piece];
        return PatternSplit.Of(TextPatterns.Literal(Replacement), SplitBehavior.MergedWithNext)(piece);
    }

    /// <summary>As a decoder: visible spaces become spaces; those of the first token vanish unless nothing was put before
    /// the text.</summary>
    public List<string> Decode(List<string> tokens)
    {
        var decoded = new List<string>(tokens.Count);
        foreach (var (i, token) in tokens.Index())
        {
            var vanishes = i == 0 && Prepend != PrependScheme.Never;
            decoded.Add(token.Replace(Replacement, vanishes ? "" : Space, StringComparison.Ordinal));
        }

        return decoded;
    }
}
