using System.Text;
using OrtPeft.Tokenizers.Alignment;
using OrtPeft.Tokenizers.Unicode;

namespace OrtPeft.Tokenizers.PreTokenizers;

/// <summary>GPT-2's words, spelled in the byte alphabet.</summary>
internal static class ByteLevelSplit
{
    public static PieceSplitter Of(bool addsPrefixSpace, bool usesRegex) => piece =>
    {
        if (addsPrefixSpace && !piece.Text.StartsWith(' '))
            piece = piece.Prepend(" ");
        return (usesRegex ? Words(piece) : [piece]).Select(SpellBytes);
    };

    /// <summary>UTF-8's bytes, each as its letter of the alphabet.</summary>
    public static AlignedText SpellBytes(AlignedText piece)
    {
        var from = new CodePoints(piece.Text);
        return piece.With(from, from.Codes.Index().SelectMany(static c =>
        {
            var bytes = Encoding.UTF8.GetBytes(char.ConvertFromUtf32(c.Item));
            return bytes.Select(b => ((int)ByteAlphabet.CharOf(b), c.Index));
        }));
    }

    private static IEnumerable<AlignedText> Words(AlignedText piece)
    {
        for (int at = 0, end; at < piece.Text.Length; at = end)
        {
            end = at + Gpt2Pattern.MatchLength(piece.Text.AsSpan(at));
            yield return piece.Slice(at, end);
        }
    }
}
