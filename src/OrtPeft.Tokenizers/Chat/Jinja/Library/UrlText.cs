using System.Text;
using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat.Jinja.Library;

/// <summary>The filter <c>urlencode</c>: a text, or the pairs of a query.</summary>
internal static class UrlText
{
    private const string Plain = "_.-~";

    public static string Encode(object? value)
    {
        if (value is string or Markup || !Iteration.IsPossible(value))
            return Quote(Display.Text(value), isQuery: false);
        var pairs = value is PyDict dict
            ? dict.Pairs.Select(static p => new[] { p.Key, p.Value })
            : Iteration.Of(value).Select(static pair => Iteration.Of(pair).ToArray());
        return string.Join('&', pairs.Select(static pair => pair is [var key, var item]
            ? $"{Quote(Display.Text(key), isQuery: true)}={Quote(Display.Text(item), isQuery: true)}"
            : throw new JinjaException("urlencode needs pairs")));
    }

    private static string Quote(string text, bool isQuery)
    {
        var quoted = new StringBuilder();
        foreach (var b in Encoding.UTF8.GetBytes(text))
        {
            var c = (char)b;
            var isKept = char.IsAsciiLetterOrDigit(c) || Plain.Contains(c, StringComparison.Ordinal)
                || (c == '/' && !isQuery);
            if (isKept)
                quoted.Append(c);
            else if (c == ' ' && isQuery)
                quoted.Append('+');
            else
                quoted.Append('%').Append(b.ToString("X2", null));
        }

        return quoted.ToString();
    }
}
