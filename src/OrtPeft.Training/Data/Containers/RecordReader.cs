using System.Text;

namespace OrtPeft.Training.Data.Containers;

/// <summary>
/// Reads the records of a table of text: fields between separators, and within double quotes separators, line ends and
/// quotes that are doubled. Lines end with LF, CRLF or CR.
/// </summary>
internal sealed class RecordReader(TextReader reader, string file, char separator)
{
    private const int LongestField = JsonLines.LongestLine;
    private readonly StringBuilder _field = new();
    private int _line = 1;
    private int _column = 1;

    /// <summary>The line in which the record that was read last begins, from 1.</summary>
    public int Line { get; private set; } = 1;

    /// <summary>The next record's fields, null where a field is empty and not quoted; null at the end.</summary>
    public string?[]? Read()
    {
        Line = _line;
        if (reader.Peek() < 0)
            return null;
        var fields = new List<string?>();
        do
            fields.Add(Field());
        while (TakeSeparator());
        return [.. fields];
    }

    private string? Field()
    {
        _field.Clear();
        if (reader.Peek() == '"')
            return Quoted();
        while (reader.Peek() is var next && next >= 0 && next != separator && next is not ('\r' or '\n'))
            Append(Take());
        return _field.Length == 0 ? null : _field.ToString();
    }

    private string Quoted()
    {
        var opening = new DataPlace(file, _line);
        var column = _column;
        Take();
        while (true)
        {
            if (reader.Peek() < 0)
                throw opening.ErrorAt(column, $"the quote that opens here is never closed", inner: null);
            var taken = Take();
            if (taken != '"')
                Append(taken);
            else if (reader.Peek() == '"')
                Append(Take());
            else
                return _field.ToString();
        }
    }

    /// <summary>Passes over what ends a field; false where the record ends with it.</summary>
    private bool TakeSeparator()
    {
        var next = reader.Peek();
        if (next >= 0 && next != separator && next is not ('\r' or '\n'))
        {
            throw new DataPlace(file, _line).ErrorAt(
                _column, $"text follows a closing quote; double quotes that are part of a field", inner: null);
        }

        if (next >= 0 && Take() == '\r' && reader.Peek() == '\n')
            Take();
        return next == separator;
    }

    private char Take()
    {
        var taken = (char)reader.Read();
        var endsLine = taken == '\n' || (taken == '\r' && reader.Peek() != '\n');
        (_line, _column) = endsLine ? (_line + 1, 1) : (_line, _column + 1);
        return taken;
    }

    private void Append(char value)
    {
        if (_field.Length == LongestField)
        {
            throw new DataPlace(file, Line).Error(
                $"a field is longer than {LongestField} characters; is a quote missing?");
        }

        _field.Append(value);
    }
}
