using System.CommandLine.Parsing;
using OrtPeft.Cli.Errors;

namespace OrtPeft.Cli.Words;

/// <summary>Words of a command line that stand in a file: <c>@run.rsp</c>.</summary>
internal static class ResponseFile
{
    /// <summary>
    /// Replaces each <c>@file</c> by the file's words. One right after an option is that option's value and stays, and
    /// so does one among the texts of <c>tokenize</c>: a text may begin with the sign.
    /// </summary>
    /// <exception cref="UsageException">A file does not exist.</exception>
    public static IReadOnlyList<string> Expand(IReadOnlyList<string> words)
    {
        if (words is ["tokenize", ..])
            return words;
        var expanded = new List<string>();
        for (var i = 0; i < words.Count; i++)
        {
            var isValue = i > 0 && words[i - 1].StartsWith('-');
            if (isValue || words[i] is not ['@', _, ..])
                expanded.Add(words[i]);
            else
                expanded.AddRange(WordsOf(words[i][1..]));
        }

        return expanded;
    }

    /// <summary>Words are parted by spaces and line ends, and kept together by double quotes; <c>#</c> begins a line
    /// that is left out.</summary>
    private static IEnumerable<string> WordsOf(string path) => File.Exists(path)
        ? File.ReadLines(path)
            .Where(static line => !line.TrimStart().StartsWith('#'))
            .SelectMany(static line => CommandLineParser.SplitCommandLine(line))
        : throw new UsageException($"@{path}: the response file {path} does not exist; check the path.");
}
