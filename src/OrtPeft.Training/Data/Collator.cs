using System.Collections.Immutable;
using OrtPeft.Onnx.Decoders;

namespace OrtPeft.Training.Data;

/// <summary>Puts rows of differing length into one rectangle.</summary>
internal static class Collator
{
    private static readonly string[] Names = [DecoderNames.Ids, DecoderNames.Mask, DecoderNames.Labels];

    /// <summary>
    /// Pads rows on the right to the longest of them: id <paramref name="padId"/>, mask 0, label
    /// <see cref="DecoderLabels.Ignored"/>, position 0. A row's own mask is used as it stands. Each sequence of a
    /// packed row becomes a row of the batch. Position ids are among the feeds where the rows have them.
    /// </summary>
    /// <param name="examples">The rows, at least one, in batch order.</param>
    /// <param name="padId">The id that fills up rows, 0 by default; any id the model has will do.</param>
    /// <returns>A batch that shares nothing with the rows.</returns>
    /// <exception cref="ArgumentException">There is no row.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="padId"/> is negative.</exception>
    /// <exception cref="TrainingDataException">Some rows have position ids and others do not.</exception>
    public static Batch Collate(IReadOnlyList<Example> examples, int padId = 0)
    {
        ArgumentNullException.ThrowIfNull(examples);
        ArgumentOutOfRangeException.ThrowIfNegative(padId);
        if (examples.Count == 0)
            throw new ArgumentException("There is no row; a batch needs at least one.", nameof(examples));
        var rows = examples.SelectMany(static e => e.Sequences.Select(s => (Example: e, s.Start, s.Length))).ToList();
        var columns = rows.Max(static row => row.Length);
        var names = HavePositions(examples) ? (string[])[.. Names, DecoderNames.Positions] : Names;
        var matrices = names.ToDictionary(
            static n => n, _ => new RowMatrix(rows.Count, columns), StringComparer.Ordinal);
        foreach ((var i, (var example, var start, var length)) in rows.Index())
        {
            Fill(matrices[DecoderNames.Ids][i], example.InputIds, start, length, padId);
            Fill(matrices[DecoderNames.Labels][i], example.Labels, start, length, DecoderLabels.Ignored);
            if (example.AttentionMask is { } mask)
                Fill(matrices[DecoderNames.Mask][i], mask, start, length, 0);
            else
                matrices[DecoderNames.Mask][i][..length].Fill(1);
            if (example.PositionIds is { } positions)
                Fill(matrices[DecoderNames.Positions][i], positions, start, length, 0);
        }

        return new Batch(
            matrices.ToDictionary(static m => m.Key, static m => m.Value.ToTensor(), StringComparer.Ordinal),
            examples.Sum(static e => e.SupervisedTokens),
            examples.Sum(static e => e.AttentionMask?.AsSpan().Count(1) ?? e.Length))
        {
            SupervisedFirstTokens = rows.Count(static r => r.Example.Labels[r.Start] != DecoderLabels.Ignored),
        };
    }

    private static void Fill(Span<long> target, ImmutableArray<int> values, int start, int length, int padding)
    {
        for (var i = 0; i < length; i++)
            target[i] = values[start + i];
        target[length..].Fill(padding);
    }

    private static bool HavePositions(IReadOnlyList<Example> examples)
    {
        var with = examples.FirstOrDefault(row => row.PositionIds is not null);
        var without = examples.FirstOrDefault(row => row.PositionIds is null);
        if (with is not null && without is not null)
        {
            throw Place(without).Error(DecoderNames.Positions,
                $"missing, while {Place(with)} in the same batch has them; give them in every row or in none");
        }

        return with is not null;
    }

    private static DataPlace Place(Example example) => new(example.File, example.Line);
}
