namespace OrtPeft.Training.Data;

/// <summary>
/// Training data or a training log that cannot be used. The message is one line: file, line, field, value and remedy.
/// </summary>
public sealed class TrainingDataException : Exception
{
    internal TrainingDataException(string message, DataPlace place, string? field = null, Exception? inner = null)
        : base(message, inner)
    {
        File = place.File;
        Line = place.Line;
        Field = field;
    }

    /// <summary>The file at fault as the caller named it; null for rows that came from memory.</summary>
    public string? File { get; }

    /// <summary>The line in <see cref="File"/>, from 1; 0 when the file as a whole is at fault.</summary>
    public int Line { get; }

    /// <summary>The field of the row, such as <c>input_ids</c>; null when the row as a whole is at fault.</summary>
    public string? Field { get; }
}
