using System.Text;
using OrtPeft.Tokenizers.Unicode;

namespace OrtPeft.Tokenizers.Alignment;

/// <summary>
/// A piece of text on its way to the model, that knows for each UTF-16 unit which part of the original text it came from.
/// Immutable; pieces share their tables.
/// </summary>
internal sealed class AlignedText
{
    private readonly int[] _starts;
    private readonly int[] _ends;
    private readonly int _offset;
    private readonly bool _goesOn;

    private AlignedText(string text, int[] starts, int[] ends, int offset, int start, bool goesOn)
    {
        _goesOn = goesOn;
        Text = text;
        Start = start;
        _starts = starts;
        _ends = ends;
        _offset = offset;
    }

    /// <summary>The text as it is by now.</summary>
    public string Text { get; }

    /// <summary>Where the piece begins in the original text; stays where characters are removed or put before it.</summary>
    public int Start { get; }

    /// <summary>An original text, without lone surrogates.</summary>
    /// <param name="text">The text.</param>
    /// <param name="goesOn">Whether it continues other text, so that nothing is put before it.</param>
    public static AlignedText Of(string text, bool goesOn = false)
    {
        var starts = new int[text.Length];
        var ends = new int[text.Length];
        for (var i = 0; i < text.Length; i++)
        {
            var isLow = char.IsLowSurrogate(text[i]);
            starts[i] = isLow ? i - 1 : i;
            ends[i] = char.IsHighSurrogate(text[i]) ? i + 2 : i + 1;
        }

        return new AlignedText(text, starts, ends, 0, 0, goesOn);
    }

    /// <summary>Where a unit's origin begins in the original text.</summary>
    public int OriginalStart(int unit) => _starts[_offset + unit];

    /// <summary>Where a unit's origin ends in the original text, exclusive.</summary>
    public int OriginalEnd(int unit) => _ends[_offset + unit];

    /// <summary>A part, between two code points; it begins where its first character came from.</summary>
    public AlignedText Slice(int start, int end) => new(
        Text[start..end],
        _starts,
        _ends,
        _offset + start,
        start < end ? OriginalStart(start) : Start,
        _goesOn && start == 0);

    /// <summary>Puts text before this, unless this is empty or continues other text; it shares the origin of the first
    /// character.</summary>
    public AlignedText Prepend(string prefix)
    {
        if (Text.Length == 0 || _goesOn)
            return this;
        var builder = new Builder(this, Text.Length + prefix.Length);
        builder.Append(prefix, OriginalStart(0), OriginalEnd(0));
        builder.Keep(0, Text.Length);
        return builder.Build();
    }

    /// <summary>Puts a text in place of every match; it shares the origin of the match's last character.</summary>
    public AlignedText Replace(IReadOnlyList<TextMatch> matches, string content)
    {
        if (matches.Count == 0)
            return this;
        var builder = new Builder(this, Text.Length);
        var done = 0;
        foreach (var match in matches)
        {
            builder.Keep(done, match.Start);
            var last = match.End - 1;
            builder.Append(content, last < 0 ? 0 : OriginalStart(last), last < 0 ? 0 : OriginalEnd(last));
            done = match.End;
        }

        builder.Keep(done, Text.Length);
        return builder.Build();
    }

    /// <summary>Other code points in place of these.</summary>
    /// <param name="from">The code points of <see cref="Text"/>.</param>
    /// <param name="points">The new ones, each with the index of the code point that it came from.</param>
    public AlignedText With(CodePoints from, IEnumerable<(int Code, int Source)> points)
    {
        var builder = new Builder(this, Text.Length);
        Span<char> units = stackalloc char[2];
        foreach (var (code, source) in points)
        {
            var width = new Rune(code).EncodeToUtf16(units);
            var first = from.Units[source];
            builder.Append(units[..width], OriginalStart(first), OriginalEnd(first));
        }

        return builder.Build();
    }

    private sealed class Builder(AlignedText source, int capacity)
    {
        private readonly StringBuilder _text = new(capacity);
        private readonly List<int> _starts = new(capacity);
        private readonly List<int> _ends = new(capacity);

        public void Append(ReadOnlySpan<char> text, int start, int end)
        {
            _text.Append(text);
            for (var i = 0; i < text.Length; i++)
            {
                _starts.Add(start);
                _ends.Add(end);
            }
        }

        public void Keep(int start, int end)
        {
            _text.Append(source.Text, start, end - start);
            _starts.AddRange(source._starts.AsSpan(source._offset + start, end - start));
            _ends.AddRange(source._ends.AsSpan(source._offset + start, end - start));
        }

        public AlignedText Build() => new(_text.ToString(), [.. _starts], [.. _ends], 0, source.Start, source._goesOn);
    }
}
