using OrtPeft.Onnx.Decoders;
using OrtPeft.Runtime.Feeding;

namespace OrtPeft.Training.Data;

/// <summary>
/// Sequences of equal length, laid out as the graph takes them: every array is row-major <c>[rows, columns] int64</c>. The
/// arrays are the caller's to hand on without copying; whoever changes them changes the batch.
/// </summary>
public sealed class Batch
{
    internal Batch(int rows, int columns, bool withPositions)
    {
        Rows = rows;
        Columns = columns;
        var size = FeedSize.Of(rows, columns);
        InputIds = new long[size];
        AttentionMask = new long[size];
        Labels = new long[size];
        PositionIds = withPositions ? new long[size] : null;
    }

    /// <summary>The batch axis, at least 1.</summary>
    public int Rows { get; }

    /// <summary>The sequence axis: the length of the longest row, in tokens.</summary>
    public int Columns { get; }

    /// <summary><c>[rows, columns]</c> token ids, the pad id in padding.</summary>
    public long[] InputIds { get; }

    /// <summary><c>[rows, columns]</c> of 0 and 1; 0 in padding.</summary>
    public long[] AttentionMask { get; }

    /// <summary><c>[rows, columns]</c>, unshifted; <see cref="DecoderLabels.Ignored"/> in padding.</summary>
    public long[] Labels { get; }

    /// <summary><c>[rows, columns]</c>, 0 in padding; null leaves the positions to the graph.</summary>
    public long[]? PositionIds { get; }

    /// <summary>
    /// The number of losses in the batch: labels other than <see cref="DecoderLabels.Ignored"/> in columns 1 and up. It
    /// may be 0.
    /// </summary>
    public int SupervisedTokens { get; internal init; }

    /// <summary>The number of rows whose label in column 0 is not <see cref="DecoderLabels.Ignored"/>.</summary>
    public int SupervisedFirstTokens { get; internal init; }

    /// <summary>The number of tokens the batch really holds: ones in the mask.</summary>
    public int AttendedTokens { get; internal init; }
}
