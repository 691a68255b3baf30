using System.Text;

namespace OrtPeft.Tokenizers.Normalization;

/// <summary>
/// Unicode's normal form C by tables of our own. .NET asks ICU, and where that is missing (invariant globalisation, the
/// default of small container images) leaves text beyond ASCII as it is; it also refuses U+FFFE.
/// </summary>
/// <seealso href="https://www.unicode.org/reports/tr15/">Unicode Standard Annex 15.</seealso>
internal static class NormalFormC
{
    private const int FirstMark = 0x300;
    private const int SBase = 0xAC00;
    private const int LBase = 0x1100;
    private const int VBase = 0x1161;
    private const int TBase = 0x11A7;
    private const int LCount = 19;
    private const int VCount = 21;
    private const int TCount = 28;
    private const int SCount = LCount * VCount * TCount;

    /// <summary>The normal form; a lone surrogate becomes U+FFFD.</summary>
    public static string Of(ReadOnlySpan<char> text)
    {
        if (!text.ContainsAnyInRange((char)FirstMark, char.MaxValue))
            return text.ToString(); // nothing below composes with another or is a composition's part
        CanonicalData data = CanonicalData.Instance;
        var characters = new List<int>(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
            Decompose(rune.Value, data, characters);
        Order(characters, data);
        Compose(characters, data);
        var composed = new StringBuilder(text.Length);
        foreach (int character in characters)
            composed.Append(new Rune(character).ToString());
        return composed.ToString();
    }

    private static void Decompose(int character, CanonicalData data, List<int> output)
    {
        int syllable = character - SBase;
        if (syllable is >= 0 and < SCount)
        {
            output.Add(LBase + (syllable / (VCount * TCount)));
            output.Add(VBase + (syllable % (VCount * TCount) / TCount));
            if (syllable % TCount > 0)
                output.Add(TBase + (syllable % TCount));
        }
        else if (data.DecompositionOf(character) is (var first, var second))
        {
            Decompose(first, data, output);
            if (second is { } mark)
                Decompose(mark, data, output);
        }
        else
        {
            output.Add(character);
        }
    }

    /// <summary>Marks on one letter stand in the order of their classes, those of one class as they came.</summary>
    private static void Order(List<int> characters, CanonicalData data)
    {
        int start = 0;
        while (start < characters.Count)
        {
            int end = start;
            while (end < characters.Count && data.ClassOf(characters[end]) != 0)
                end++;
            if (end - start > 1)
            {
                int[] ordered = [.. characters[start..end].OrderBy(data.ClassOf)];
                for (int i = start; i < end; i++)
                    characters[i] = ordered[i - start];
            }
            start = end + 1;
        }
    }

    /// <summary>Joins each character to the last letter, unless one of no lower class stands between them.</summary>
    private static void Compose(List<int> characters, CanonicalData data)
    {
        int starter = -1;
        int count = 0;
        int last = 0;
        for (int i = 0; i < characters.Count; i++)
        {
            int character = characters[i];
            int kind = data.ClassOf(character);
            bool isBlocked = starter < 0 || (count - 1 > starter && last >= kind);
            if (!isBlocked && Pair(characters[starter], character, data) is { } whole)
            {
                characters[starter] = whole;
                continue;
            }
            if (kind == 0)
                starter = count;
            last = kind;
            characters[count++] = character;
        }
        characters.RemoveRange(count, characters.Count - count);
    }

    private static int? Pair(int first, int second, CanonicalData data)
    {
        if (first - LBase is var l and >= 0 and < LCount && second - VBase is var v and >= 0 and < VCount)
            return SBase + (((l * VCount) + v) * TCount);
        bool isOpen = first - SBase is var s and >= 0 and < SCount && s % TCount == 0;
        return isOpen && second - TBase is > 0 and < TCount
            ? first + (second - TBase)
            : data.CompositionOf(first, second);
    }
}
