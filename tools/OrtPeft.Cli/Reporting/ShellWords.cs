using System.Buffers;

namespace OrtPeft.Cli.Reporting;

/// <summary>Writes a command line so that a shell reads the same words back.</summary>
internal static class ShellWords
{
    private static readonly SearchValues<char> Plain =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./:=,+@%");

    public static string Join(IEnumerable<string> words) => string.Join(' ', words.Select(Quote));

    private static string Quote(string word) => word.Length > 0 && word.AsSpan().IndexOfAnyExcept(Plain) < 0
        ? word
        : $"'{word.Replace("'", @"'\''", StringComparison.Ordinal)}'";
}
