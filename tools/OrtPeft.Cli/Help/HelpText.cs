using System.Text;

namespace OrtPeft.Cli.Help;

/// <summary>Lays text out in lines of a width; only spaces are broken at.</summary>
internal sealed class HelpText(int width)
{
    private const string Indent = "  ";
    private const int Gap = 2;

    private readonly StringBuilder _text = new();

    public override string ToString() => _text.ToString();

    public void Line(string line = "") => _text.Append(line).Append('\n');

    /// <summary>A paragraph over the whole width.</summary>
    public void Paragraph(string text)
    {
        foreach (var line in Wrapped(text.Split(' '), width))
            Line(line);
    }

    /// <summary>A command line, continued after a backslash where it is too long.</summary>
    public void CommandLine(string command)
    {
        const string Continued = " \\";
        string[] lines = [.. Wrapped(Words(command), width - (3 * Indent.Length) - Continued.Length)];
        for (var i = 0; i < lines.Length; i++)
        {
            var indent = i == 0 ? Indent : Indent + Indent + Indent;
            Line(indent + lines[i] + (i < lines.Length - 1 ? Continued : ""));
        }
    }

    /// <summary>Terms on the left, what they mean on the right; a long term has a line of its own.</summary>
    /// <param name="rows">The terms and their meaning.</param>
    public void Table(IReadOnlyList<(string Term, string Meaning)> rows)
    {
        var most = Math.Max(16, width * 3 / 10);
        var column = rows.Select(static r => r.Term.Length).Where(l => l <= most).DefaultIfEmpty(most / 2).Max();
        var left = Indent.Length + column + Gap;
        foreach (var (term, meaning) in rows)
        {
            string[] lines = [.. Wrapped(meaning.Split(' '), width - left)];
            var isOwnLine = term.Length > column;
            if (isOwnLine || lines.Length == 0)
                Line(Indent + term);
            for (var i = 0; i < lines.Length; i++)
                Line((i == 0 && !isOwnLine ? Indent + term : "").PadRight(left) + lines[i]);
        }
    }

    private static IEnumerable<string> Wrapped(IEnumerable<string> words, int width)
    {
        var line = new StringBuilder();
        foreach (var word in words.Where(static w => w.Length > 0))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line.ToString();
                line.Clear();
            }

            line.Append(line.Length > 0 ? " " : "").Append(word);
        }

        if (line.Length > 0)
            yield return line.ToString();
    }

    /// <summary>The words of a command line; what stands in quotes is not broken.</summary>
    private static IEnumerable<string> Words(string command)
    {
        var (start, quote) = (0, '\0');
        for (var i = 0; i < command.Length; i++)
        {
            if (command[i] is '\'' or '"' && quote is '\0' || command[i] == quote)
                quote = quote == '\0' ? command[i] : '\0';
            if (command[i] != ' ' || quote != '\0')
                continue;
            yield return command[start..i];
            start = i + 1;
        }

        yield return command[start..];
    }
}
