using System.Collections.Immutable;
using OrtPeft.Onnx.Decoders;

namespace OrtPeft.Training.Data;

/// <summary>One row of training data as tokens. Immutable and safe to share between threads.</summary>
public sealed class Example
{
    /// <summary>Binds the arrays of one row together.</summary>
    /// <param name="inputIds"><c>[sequence]</c> token ids, at least one.</param>
    /// <param name="labels">
    /// <c>[sequence]</c>: the id to be predicted <em>for</em> each position, or <see cref="DecoderLabels.Ignored"/>.
    /// Not shifted: the loss compares the logits of position t − 1 with the label of position t, so the first label
    /// never counts.
    /// </param>
    /// <param name="attentionMask"><c>[sequence]</c> of 0 (hidden) and 1, or null for all ones.</param>
    /// <param name="positionIds"><c>[sequence]</c> from 0, or null to leave the positions to the graph. Where they
    /// restart, a sequence of its own begins: see <see cref="SequenceStarts"/>.</param>
    /// <exception cref="ArgumentException">There is no token, or the arrays differ in length.</exception>
    public Example(
        ImmutableArray<int> inputIds,
        ImmutableArray<int> labels,
        ImmutableArray<int>? attentionMask = null,
        ImmutableArray<int>? positionIds = null)
    {
        if (inputIds.IsDefaultOrEmpty)
            throw new ArgumentException("There is no token id; an example needs at least one.", nameof(inputIds));
        CheckLength(labels, inputIds.Length, nameof(labels));
        CheckLength(attentionMask, inputIds.Length, nameof(attentionMask));
        CheckLength(positionIds, inputIds.Length, nameof(positionIds));
        InputIds = inputIds;
        Labels = labels;
        AttentionMask = attentionMask;
        PositionIds = positionIds;
        SequenceStarts = positionIds is { } positions ? StartsIn(positions, attentionMask) : [0];
    }

    /// <summary><c>[sequence]</c> token ids.</summary>
    public ImmutableArray<int> InputIds { get; }

    /// <summary>
    /// <c>[sequence]</c>, unshifted: an id, or <see cref="DecoderLabels.Ignored"/> where nothing is supervised.
    /// </summary>
    public ImmutableArray<int> Labels { get; }

    /// <summary><c>[sequence]</c> of 0 (hidden) and 1 as the row gave it, or null for all ones.</summary>
    public ImmutableArray<int>? AttentionMask { get; }

    /// <summary><c>[sequence]</c> positions as the row gave them, or null to leave them to the graph.</summary>
    public ImmutableArray<int>? PositionIds { get; }

    /// <summary>
    /// Where the row's sequences begin, from 0: rows that were packed into one have several. Position ids that do not
    /// rise from one attended token to the next start a sequence, as in HF transformers; the model sees each by itself,
    /// and its first label does not count.
    /// </summary>
    public ImmutableArray<int> SequenceStarts { get; }

    /// <summary>The file the row was read from, for messages; null when it came from memory.</summary>
    public string? File { get; init; }

    /// <summary>The row's line in <see cref="File"/>, from 1; 0 when it came from memory.</summary>
    public int Line { get; init; }

    /// <summary>The kind of row that it was made of.</summary>
    public RowForm Form { get; init; }

    /// <summary>
    /// Whether only its last turn is learned because its chat template does not show where the assistant's earlier turns
    /// begin and end.
    /// </summary>
    public bool LearnsLastTurnOnly { get; init; }

    /// <summary>How many tokens the row has, at least 1.</summary>
    public int Length => InputIds.Length;

    /// <summary>
    /// How many labels enter the loss: those that are not ignored, each sequence's first position left out. O(length).
    /// </summary>
    public int SupervisedTokens
    {
        get
        {
            var labels = Labels;
            return Length - labels.AsSpan().Count(DecoderLabels.Ignored)
                - SequenceStarts.Count(start => labels[start] != DecoderLabels.Ignored);
        }
    }

    /// <summary>The tokens of the longest sequence.</summary>
    internal int LongestSequence => Sequences.Max(static s => s.Length);

    /// <summary>The row's sequences in order.</summary>
    internal IEnumerable<(int Start, int Length)> Sequences => SequenceStarts.Select(
        (start, i) => (start, (i + 1 < SequenceStarts.Length ? SequenceStarts[i + 1] : Length) - start));

    /// <summary>Padding, which is not attended to, has any positions and belongs to the sequence before it.</summary>
    private static ImmutableArray<int> StartsIn(ImmutableArray<int> positions, ImmutableArray<int>? mask)
    {
        var starts = ImmutableArray.CreateBuilder<int>();
        starts.Add(0);
        int? last = null;
        for (var i = 0; i < positions.Length; i++)
        {
            if (mask is { } shown && shown[i] == 0)
                continue;
            if (positions[i] <= last)
                starts.Add(i);
            last = positions[i];
        }

        return starts.ToImmutable();
    }

    private static void CheckLength(ImmutableArray<int>? values, int length, string name)
    {
        if (values is not { } given)
            return;
        var found = given.IsDefault ? 0 : given.Length;
        if (found != length)
            throw new ArgumentException($"{found} values for {length} token ids; expected one for each.", name);
    }
}
