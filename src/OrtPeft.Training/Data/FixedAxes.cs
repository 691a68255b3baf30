using OrtPeft.Artifacts;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Tensors;

namespace OrtPeft.Training.Data;

/// <summary>
/// Cuts and fills batches for a graph whose batch or sequence has a fixed length: rows go through as many at a time as
/// it takes, padded on the right to its length. Padding has no label and mask 0, and follows all tokens, so that
/// what is computed stays the same.
/// </summary>
/// <param name="Rows">Rows at a time, or null for any number.</param>
/// <param name="Columns">Tokens of a row, or null for any number.</param>
internal sealed record FixedAxes(int? Rows, int? Columns)
{
    /// <summary>Reads the lengths from the inputs that take a number for each token.</summary>
    /// <param name="inputs">A graph's inputs.</param>
    public static FixedAxes Of(IEnumerable<ArtifactValue> inputs)
    {
        var ids = inputs.FirstOrDefault(static i => i.Name == DecoderNames.Ids)?.Dims;
        return ids is { Count: 2 } ? new(Count(ids[0]), Count(ids[1])) : new(null, null);
    }

    private static int? Count(ArtifactDim axis) => axis.Length is null or (>= 1 and <= int.MaxValue)
        ? (int?)axis.Length
        : throw new OnnxFormatException(
            $"The model's input '{DecoderNames.Ids}' has an axis of the fixed length {axis.Length}; from 1 to "
            + $"{int.MaxValue} can be worked with. Write or export it with dynamic axes.");

    /// <summary>The batch in parts that the graph takes; those that have nothing to learn are left out.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="virtualTokens">Positions before the first token.</param>
    /// <returns>The batch itself where it fits.</returns>
    /// <exception cref="TrainingDataException">Rows are longer than the graph takes.</exception>
    public IReadOnlyList<Batch> Split(Batch batch, int virtualTokens = 0)
    {
        if ((Rows is null && Columns is null) || !batch.Feeds.TryGetValue(DecoderNames.Labels, out var labels)
            || !batch.Feeds.TryGetValue(DecoderNames.Ids, out var ids))
            return [batch];
        var (rows, columns) = ((int)ids.Dims[0], (int)ids.Dims[1]);
        if (columns > Columns)
        {
            throw new TrainingDataException(
                $"A row has {columns} tokens, and the model takes {Columns}, no more and no fewer; "
                + $"a SequenceLength of {Columns} truncates rows.",
                default);
        }

        if ((Rows ?? rows) == rows && (Columns ?? columns) == columns)
            return [batch];
        var size = Rows ?? rows;
        var parts = Enumerable.Range(0, (int)(((long)rows + size - 1) / size))
            .Select(part => Part(batch, part * size, Math.Min(size, rows - (part * size)), columns));
        return [.. parts.Where(p => p.CountFor(virtualTokens) > 0)];
    }

    /// <summary>Some rows; what is missing to the graph's number repeats the first, without labels.</summary>
    private Batch Part(Batch batch, int first, int count, int columns)
    {
        var (rows, length) = (Rows ?? count, Columns ?? columns);
        var feeds = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var (name, tensor) in batch.Feeds)
        {
            var (from, to) = (tensor.ToInt64(), new RowMatrix(rows, length));
            for (var row = 0; row < rows; row++)
            {
                var isReal = row < count;
                var source = from.AsSpan((first + (isReal ? row : 0)) * columns, columns);
                Fill(name, isReal, source, to[row]);
            }

            feeds[name] = to.ToTensor();
        }

        return Counted(feeds, length, count);
    }

    private static void Fill(string name, bool isReal, ReadOnlySpan<long> source, Span<long> target)
    {
        source.CopyTo(target);
        if (name == DecoderNames.Labels && !isReal)
            target.Fill(DecoderLabels.Ignored);
        for (var i = source.Length; i < target.Length; i++)
        {
            target[i] = name switch
            {
                DecoderNames.Labels => DecoderLabels.Ignored,
                DecoderNames.Positions => i,
                _ => 0,
            };
        }
    }

    private static Batch Counted(Dictionary<string, Tensor> feeds, int columns, int rows)
    {
        var (labels, mask) = (feeds[DecoderNames.Labels].ToInt64(), feeds[DecoderNames.Mask].ToInt64());
        var isLabel = labels.Select(static l => l != DecoderLabels.Ignored).ToArray();
        var ofFirst = isLabel.Where((is1, i) => is1 && i % columns == 0).Count();
        var tokens = mask.Take(rows * columns).Count(static m => m == 1);
        return new Batch(feeds, isLabel.Count(static l => l) - ofFirst, tokens) { SupervisedFirstTokens = ofFirst };
    }
}
