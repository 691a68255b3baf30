namespace OrtPeft.Training.Data;

/// <summary>A row as it would be trained on, or why it cannot be.</summary>
/// <param name="File">The file it stands in.</param>
/// <param name="Line">Its line, from 1.</param>
public sealed record RowPreview(string File, int Line)
{
    /// <summary>The kind of row, such as <c>messages</c> or <c>Alpaca instructions</c>; null where it is
    /// none.</summary>
    public string? Found { get; init; }

    /// <summary>The row as text: what the chat template made of it, else its tokens decoded; null with an
    /// error.</summary>
    public string? Text { get; init; }

    /// <summary>The row as tokens, cut as the options say; null with an error, without a tokenizer, or where it is left
    /// out for its length.</summary>
    public Example? Example { get; init; }

    /// <summary>How many tokens it has before it is cut.</summary>
    public int WholeLength { get; init; }

    /// <summary>Whether nothing of it is trained on: no token is left to learn, or it is left out for its
    /// length.</summary>
    public bool IsDropped { get; init; }

    /// <summary>Why it is not a row, in one line; null where it is one.</summary>
    public string? Error { get; init; }
}
