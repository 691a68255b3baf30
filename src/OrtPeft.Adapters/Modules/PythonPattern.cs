using System.Globalization;
using System.Text;

namespace OrtPeft.Adapters.Modules;

/// <summary>
/// Writes a regular expression of Python's <c>re</c> as .NET's, where the two spell things apart: groups with names
/// become plain ones, since .NET counts those last, and <c>{,n}</c> gets its zero.
/// </summary>
/// <seealso href="https://docs.python.org/3/library/re.html#regular-expression-syntax"/>
internal sealed class PythonPattern
{
    private const string Named = "(?P<";
    private const string Reference = "(?P=";

    private readonly StringBuilder _written = new();
    private readonly Dictionary<string, int> _groups = new(StringComparer.Ordinal);
    private readonly string _text;
    private int _count;
    private int _at;

    private PythonPattern(string text, int groupsBefore)
    {
        _text = text;
        _count = groupsBefore;
    }

    /// <summary>Translates a pattern; what neither knows is left for .NET to refuse.</summary>
    /// <param name="pattern">Python's expression.</param>
    /// <param name="groupsBefore">How many groups come before it in the whole expression.</param>
    /// <returns>.NET's expression.</returns>
    public static string ToDotNet(string pattern, int groupsBefore = 0) =>
        new PythonPattern(pattern, groupsBefore).Translate();

    private string Translate()
    {
        while (_at < _text.Length)
        {
            if (_text[_at] == '\\')
                Copy(2);
            else if (_text[_at] == '[')
                CopyClass();
            else if (Follows("{,"))
                Write("{0,", 2);
            else if (Follows(Named) && NameUntil('>', Named.Length) is { } name)
            {
                _groups[name] = ++_count;
                Write("(", Named.Length + name.Length + 1);
            }
            else if (Follows(Reference) && NameUntil(')', Reference.Length) is { } wanted
                && _groups.TryGetValue(wanted, out var group))
            {
                var back = string.Create(CultureInfo.InvariantCulture, $@"\k<{group}>");
                Write(back, Reference.Length + wanted.Length + 1);
            }
            else
            {
                _count += _text[_at] == '(' && !Follows("(?") ? 1 : 0;
                Copy(1);
            }
        }

        return _written.ToString();
    }

    /// <summary>A class of characters; a bracket that stands first in it is one of them.</summary>
    private void CopyClass()
    {
        Copy(Follows("[^") ? 2 : 1);
        if (Follows("]"))
            Write(@"\]", 1);
        while (_at < _text.Length && _text[_at] != ']')
        {
            if (_text[_at] == '[')
                Write(@"\[", 1); // .NET would take a class from a class
            else
                Copy(_text[_at] == '\\' ? 2 : 1);
        }

        Copy(1);
    }

    private string? NameUntil(char end, int from)
    {
        var close = _text.IndexOf(end, _at + from);
        return close < 0 ? null : _text[(_at + from)..close];
    }

    private bool Follows(string what) => _text.AsSpan(_at).StartsWith(what, StringComparison.Ordinal);

    private void Copy(int count)
    {
        count = Math.Min(count, _text.Length - _at);
        Write(_text.Substring(_at, count), count);
    }

    private void Write(string text, int read)
    {
        _written.Append(text);
        _at += read;
    }
}
