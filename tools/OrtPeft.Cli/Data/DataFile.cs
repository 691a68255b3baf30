using System.Globalization;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Reporting;
using OrtPeft.Training.Data.Containers;

namespace OrtPeft.Cli.Data;

/// <summary>A file of rows, and how often an epoch takes each of them.</summary>
/// <param name="Path">The file; - is standard input.</param>
/// <param name="Weight">Above 0; 1 takes every row once.</param>
internal sealed record DataFile(string Path, double Weight)
{
    /// <summary>The word for standard input.</summary>
    public const string StandardInput = "-";

    /// <summary>The name of standard input in messages.</summary>
    public const string StandardInputName = "standard input";

    /// <summary>The files that the words of a command line mean: files, folders and patterns, each perhaps followed by
    /// an @ and a weight.</summary>
    public static IReadOnlyList<DataFile> Find(Invocation run, IEnumerable<string> words)
    {
        var files = new List<DataFile>();
        foreach (var word in words)
        {
            var (path, weight) = Weighed(word);
            if (path == StandardInput)
            {
                files.Add(new DataFile(path, weight));
                continue;
            }

            var found = RowPaths.Find(path, out var skipped);
            if (skipped > 0)
                run.Note($"{path}: skipped {Human.Count(skipped, "file")} whose names are not those of data.");
            files.AddRange(found.Select(file => new DataFile(file, weight)));
        }

        return files.Count(static f => f.Path == StandardInput) > 1
            ? throw new UsageException("standard input can be read once; give - once.")
            : files;
    }

    /// <summary>Rows as often as the weight says; of a fraction a part that is drawn once for all epochs.</summary>
    /// <param name="count">How many rows the file has.</param>
    /// <returns>Row numbers, from 0.</returns>
    public IEnumerable<int> Weigh(int count)
    {
        var whole = (int)Weight;
        var rest = (int)Math.Round((Weight - whole) * count);
        var again = Enumerable.Repeat(Enumerable.Range(0, count), whole).SelectMany(static r => r);
        return rest == 0 ? again : again.Concat(Drawn.Of(count, rest, seed: 0, "weights"));
    }

    private static (string Path, double Weight) Weighed(string word)
    {
        var at = word.LastIndexOf('@');
        var text = at < 0 ? "" : word[(at + 1)..];
        if (!double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var weight)
            || File.Exists(word))
            return (word, 1);
        return weight is > 0 and <= 1000
            ? (word[..at], weight)
            : throw new UsageException($"{word}: the weight is {text}; it must be above 0 and at most 1000.");
    }
}
