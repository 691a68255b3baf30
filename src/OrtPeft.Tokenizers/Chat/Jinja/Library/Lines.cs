using System.Buffers;

namespace OrtPeft.Tokenizers.Chat.Jinja.Library;

/// <summary>Python's <c>splitlines</c>, which knows more ends of lines than line feeds.</summary>
internal static class Lines
{
    private static readonly SearchValues<char> Ends =
        SearchValues.Create("\n\r\v\f\x1c\x1d\x1e\u0085\u2028\u2029");

    public static List<string> Split(string text, bool keepsEnds)
    {
        var lines = new List<string>();
        var start = 0;
        while (start < text.Length)
        {
            var found = text.AsSpan(start).IndexOfAny(Ends);
            var end = found < 0 ? text.Length : start + found;
            var isPair = end + 1 < text.Length && text[end] == '\r' && text[end + 1] == '\n';
            var next = Math.Min(text.Length, end + (isPair ? 2 : 1));
            lines.Add(text[start..(keepsEnds ? next : end)]);
            start = next;
        }

        return lines;
    }
}
