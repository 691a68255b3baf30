namespace OrtPeft.Tokenizers.Unicode;

/// <summary>The code points of a text that has no lone surrogates, and where each begins in UTF-16.</summary>
internal readonly struct CodePoints
{
    public CodePoints(string text)
    {
        var codes = new List<int>(text.Length);
        var units = new List<int>(text.Length + 1);
        var unit = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            codes.Add(rune.Value);
            units.Add(unit);
            unit += rune.Utf16SequenceLength;
        }

        units.Add(unit);
        Codes = [.. codes];
        Units = [.. units];
    }

    public int[] Codes { get; }

    /// <summary>UTF-16 positions: one per code point, then the text's length.</summary>
    public int[] Units { get; }

    /// <summary>The code point that begins at a UTF-16 position.</summary>
    public static int At(string text, int unit) => At(text, unit, out _);

    /// <summary>The code point that begins at a UTF-16 position, and how many units it takes.</summary>
    public static int At(string text, int unit, out int width)
    {
        var c = text[unit];
        var isPair = char.IsHighSurrogate(c) && unit + 1 < text.Length && char.IsLowSurrogate(text[unit + 1]);
        width = isPair ? 2 : 1;
        return isPair ? char.ConvertToUtf32(c, text[unit + 1]) : c;
    }

    /// <summary>Where the code point that ends at a UTF-16 position begins.</summary>
    public static int Before(string text, int unit)
    {
        var isPair = unit > 1 && char.IsLowSurrogate(text[unit - 1]) && char.IsHighSurrogate(text[unit - 2]);
        return isPair ? unit - 2 : unit - 1;
    }
}
