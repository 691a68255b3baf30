using System.Text;

namespace OrtPeft.Tokenizers;

/// <summary>
/// Tokenizer files are missing, malformed or of an unsupported kind. The message is one line: file, place, value
/// and remedy.
/// </summary>
public sealed class TokenizerFormatException : Exception
{
    private const int LongestShown = 60;

    internal TokenizerFormatException(string file, string place, string problem, Exception? inner = null)
        : base($"{file}: {place}: {problem}", inner)
    {
        File = file;
        Place = place;
    }

    /// <summary>Path of the file or folder at fault.</summary>
    public string File { get; }

    /// <summary>Where in it: a JSON path such as <c>model.type</c>, a line such as <c>line 12</c>.</summary>
    public string Place { get; }

    /// <summary>A string from a file in quotes, made fit for one line.</summary>
    internal static string Quote(string value) => $"\"{Shorten(value)}\"";

    /// <summary>The beginning of a value, control characters and surrogates escaped.</summary>
    internal static string Shorten(string value)
    {
        var shown = new StringBuilder();
        foreach (var c in value.AsSpan(0, Math.Min(value.Length, LongestShown)))
        {
            if (char.IsControl(c) || char.IsSurrogate(c))
                shown.Append("\\u").Append(((int)c).ToString("x4", null));
            else
                shown.Append(c);
        }

        return shown.Append(value.Length > LongestShown ? "…" : "").ToString();
    }
}
