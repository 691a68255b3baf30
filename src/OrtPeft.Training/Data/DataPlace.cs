using System.Globalization;
using System.Text.Encodings.Web;

namespace OrtPeft.Training.Data;

/// <summary>
/// A line of a file; line 0 is the file as a whole. Errors are built here, so that they all read alike.
/// </summary>
internal readonly record struct DataPlace(string? File, int Line)
{
    private const int LongestShown = 60;

    public TrainingDataException Error(string field, FormattableString problem, Exception? inner = null) =>
        new($"{this}: {field}: {Invariant(problem)}", this, field, inner);

    public TrainingDataException Error(FormattableString problem, Exception? inner = null) =>
        new($"{this}: {Invariant(problem)}", this, field: null, inner);

    /// <summary>An error at a column (from 1, in UTF-16 units) of the line.</summary>
    public TrainingDataException ErrorAt(int column, FormattableString problem, Exception? inner) =>
        new(Invariant($"{this}:{column}: {Invariant(problem)}"), this, field: null, inner);

    /// <summary>A value from a file made fit for one line, in quotes.</summary>
    public static string Quote(string value) => $"\"{Shown(value)}\"";

    /// <summary>A value from a file made fit for one line: shortened, and escaped as JSON is.</summary>
    public static string Shown(string value) => value.Length <= LongestShown
        ? JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(value)
        : $"{JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(value[..LongestShown])}…";

    public override string ToString()
    {
        var file = File ?? "example";
        return Line == 0 ? file : Invariant($"{file}:{Line}");
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
