using OrtPeft.Tokenizers.Alignment;
using OrtPeft.Tokenizers.Unicode;

namespace OrtPeft.Tokenizers.Normalizers;

/// <summary>BERT's cleaning, by the classes of Unicode 8.0.</summary>
internal sealed record BertNormalizer
{
    /// <summary>Whether control characters go and white space becomes spaces.</summary>
    public bool CleansText { get; init; } = true;

    /// <summary>Whether ideographs stand between spaces.</summary>
    public bool SpacesIdeographs { get; init; } = true;

    /// <summary>Whether accents go; where left out, as <see cref="Lowercases"/>.</summary>
    public bool? StripsAccents { get; init; }

    public bool Lowercases { get; init; } = true;

    public AlignedText Apply(AlignedText text)
    {
        if (CleansText)
            text = CharacterNormalizers.Map(text, static code => IsDropped(code) ? [] : ToSpace(code));
        if (SpacesIdeographs)
            text = CharacterNormalizers.Map(text, static code => IsIdeograph(code) ? [' ', code, ' '] : null);
        if (StripsAccents ?? Lowercases)
        {
            text = NormalForms.Apply(text, NormalForm.Decomposed);
            text = CharacterNormalizers.Map(text, static code => IsAccent(code) ? [] : null);
        }

        return Lowercases ? CharacterNormalizers.Lowercase(text) : text;
    }

    private static bool IsDropped(int code)
    {
        var isKept = code is '\t' or '\n' or '\r' or (>= 0x20 and < 0x7F);
        return !isKept && (code == 0xFFFD || UnicodeTables.Current.Other8.Contains(code));
    }

    private static int[]? ToSpace(int code) => code != ' ' && CharacterClasses.IsSpace(code) ? [' '] : null;

    private static bool IsAccent(int code) => code >= 0x300 && UnicodeTables.Current.NonSpacingMarks8.Contains(code);

    /// <summary>The ranges of the original BERT, which end where Unicode's blocks did at its time.</summary>
    private static bool IsIdeograph(int code) => code
        is (>= 0x4E00 and <= 0x9FFF)
        or (>= 0x3400 and <= 0x4DBF)
        or (>= 0x20000 and <= 0x2A6DF)
        or (>= 0x2A700 and <= 0x2B73F)
        or (>= 0x2B740 and <= 0x2B81F)
        or (>= 0x2B920 and <= 0x2CEAF)
        or (>= 0xF900 and <= 0xFAFF)
        or (>= 0x2F800 and <= 0x2FA1F);
}
