using System.Collections.Immutable;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Training.Data;

namespace OrtPeft.Training.Answers;

/// <summary>A prompt for a model to answer, in tokens, and the answer that is expected.</summary>
/// <param name="prompt">What is asked; at least one token.</param>
/// <param name="expected">What should come; null where nothing says.</param>
public sealed class AnswerRow(ImmutableArray<int> prompt, ImmutableArray<int>? expected)
{
    /// <summary>The tokens of the prompt.</summary>
    public ImmutableArray<int> Prompt => prompt;

    /// <summary>The tokens of the expected answer; null where nothing says.</summary>
    public ImmutableArray<int>? Expected => expected;

    /// <summary>The file that the row was read from; null when it came from memory.</summary>
    public string? File { get; init; }

    /// <summary>The row's line in <see cref="File"/>, from 1; 0 when it came from memory.</summary>
    public int Line { get; init; }

    /// <summary>The prompt and answer in a row of data: its last learned stretch is the answer, and all before it the
    /// prompt.</summary>
    /// <param name="row">The row.</param>
    /// <returns>The prompt with its answer; null where nothing stands before what is learned, as in a text that is learned
    /// as a whole, and of rows that hold several sequences or hide tokens.</returns>
    public static AnswerRow? Of(Example row)
    {
        ArgumentNullException.ThrowIfNull(row);
        var end = row.Length;
        while (end > 0 && row.Labels[end - 1] == DecoderLabels.Ignored)
            end--;
        var start = end;
        while (start > 0 && row.Labels[start - 1] != DecoderLabels.Ignored)
            start--;
        var isPlain = row.SequenceStarts.Length == 1 && row.AttentionMask?.Contains(0) is not true;
        return start == 0 || !isPlain
            ? null
            : new AnswerRow(row.InputIds[..start], row.InputIds[start..end]) { File = row.File, Line = row.Line };
    }
}
