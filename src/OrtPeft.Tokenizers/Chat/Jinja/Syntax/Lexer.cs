using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat.Jinja.Syntax;

/// <summary>
/// Cuts a template into text and tags with Jinja's whitespace rules under <c>trim_blocks</c> and <c>lstrip_blocks</c>:
/// a line feed after a tag is dropped, and so are the blanks before a tag that begins its line.
/// </summary>
internal sealed class Lexer
{
    private readonly string _source;
    private readonly List<Token> _tokens = [];
    private int _position;
    private int _line = 1;
    private bool _atLineStart = true;

    private Lexer(string source) => _source = source;

    public static List<Token> Read(string template)
    {
        var source = template.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        var lexer = new Lexer(source.EndsWith('\n') ? source[..^1] : source);
        lexer.ReadAll();
        return lexer._tokens;
    }

    private void ReadAll()
    {
        while (_position < _source.Length)
        {
            var tag = FindTag(_position);
            if (tag < 0)
            {
                AddData(_source[_position..]);
                _position = _source.Length;
                break;
            }

            ReadTag(tag);
        }

        Add(TokenKind.End, "");
    }

    private int FindTag(int from)
    {
        for (var at = _source.IndexOf('{', from); at >= 0 && at + 1 < _source.Length; at = _source.IndexOf('{', at + 1))
        {
            if (_source[at + 1] is '%' or '{' or '#')
                return at;
        }

        return -1;
    }

    private void ReadTag(int tag)
    {
        var kind = _source[tag + 1];
        var sign = SignAt(tag + 2);
        var text = _source[_position..tag];
        var begin = tag + 2 + (sign == ' ' ? 0 : 1);
        AddData(Stripped(text, sign, keepsBlanks: kind == '{'), text);
        _position = begin;
        if (kind == '#')
            SkipComment();
        else if (kind == '%' && RawEnd(begin) is { } body)
            ReadRaw(body);
        else
            ReadWords(isTag: kind == '%');
    }

    private char SignAt(int at) => at < _source.Length && _source[at] is '-' or '+' ? _source[at] : ' ';

    /// <summary>The text before a tag as the tag's sign and <c>lstrip_blocks</c> leave it.</summary>
    private string Stripped(string text, char sign, bool keepsBlanks)
    {
        if (sign == '-')
            return PythonText.TrimEnd(text);
        if (sign == '+' || keepsBlanks)
            return text;
        var lineStart = text.LastIndexOf('\n') + 1;
        var beginsLine = lineStart > 0 || _atLineStart;
        return beginsLine && PythonText.IsBlank(text.AsSpan(lineStart)) ? text[..lineStart] : text;
    }

    private void SkipComment()
    {
        var end = _source.IndexOf("#}", _position, StringComparison.Ordinal);
        if (end < 0)
            throw Error("Missing end of comment tag");
        var sign = end > _position ? _source[end - 1] : ' ';
        CountLines(_source.AsSpan(_position, end - _position));
        Close(end + 2, sign, trims: true);
    }

    /// <summary>Where the body of a raw block begins, when the tag at hand opens one.</summary>
    private int? RawEnd(int begin)
    {
        var at = SkipBlanks(begin);
        if (!_source.AsSpan(at).StartsWith("raw", StringComparison.Ordinal))
            return null;
        at = SkipBlanks(at + 3);
        if (_source.AsSpan(at).StartsWith("-%}", StringComparison.Ordinal))
            return SkipBlanks(at + 3);
        return _source.AsSpan(at).StartsWith("%}", StringComparison.Ordinal) ? at + 2 : null;
    }

    private void ReadRaw(int body)
    {
        CountLines(_source.AsSpan(_position, body - _position));
        _atLineStart = _source[body - 1] == '\n';
        _position = body;
        for (var tag = Find("{%", body); tag >= 0; tag = Find("{%", tag + 1))
        {
            var open = SignAt(tag + 2);
            var word = SkipBlanks(tag + 2 + (open == ' ' ? 0 : 1));
            if (!_source.AsSpan(word).StartsWith("endraw", StringComparison.Ordinal))
                continue;
            var close = SkipBlanks(word + 6);
            var sign = SignAt(close);
            var end = close + (sign == ' ' ? 0 : 1);
            if (!_source.AsSpan(end).StartsWith("%}", StringComparison.Ordinal))
                continue;
            var text = _source[body..tag];
            AddData(Stripped(text, open, keepsBlanks: false), text);
            CountLines(_source.AsSpan(tag, end - tag));
            Close(end + 2, sign, trims: true);
            return;
        }

        throw Error("Missing end of raw directive");
    }

    private int Find(string what, int from) => _source.IndexOf(what, from, StringComparison.Ordinal);

    private void ReadWords(bool isTag)
    {
        Add(isTag ? TokenKind.TagBegin : TokenKind.PrintBegin, "");
        var words = new WordLexer(_source, _position, _line, isTag);
        words.ReadInto(_tokens);
        (_position, _line) = (words.Position, words.Line);
        Add(isTag ? TokenKind.TagEnd : TokenKind.PrintEnd, "");
        Close(words.Position + words.EndLength, words.EndSign, trims: isTag);
    }

    /// <summary>Continues after a tag: <c>-</c> takes all blanks, <c>trim_blocks</c> one line feed.</summary>
    private void Close(int end, char sign, bool trims)
    {
        _position = end;
        if (sign == '-')
            _position = SkipBlanks(end);
        else if (sign != '+' && trims && end < _source.Length && _source[end] == '\n')
            _position = end + 1;
        CountLines(_source.AsSpan(end, _position - end));
        _atLineStart = _source[_position - 1] == '\n';
    }

    private int SkipBlanks(int at)
    {
        while (at < _source.Length && PythonText.IsSpace(_source[at]))
            at++;
        return at;
    }

    private void AddData(string text, string? whole = null)
    {
        if (text.Length > 0)
            Add(TokenKind.Data, text);
        CountLines(whole ?? text);
    }

    private void CountLines(ReadOnlySpan<char> text) => _line += text.Count('\n');

    private void Add(TokenKind kind, string text) => _tokens.Add(new Token(kind, text, _line));

    private JinjaException Error(string message) => new(message, JinjaFailure.Syntax, _line);
}
