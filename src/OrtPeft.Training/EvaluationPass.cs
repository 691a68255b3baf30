using OrtPeft.Training.Data;

namespace OrtPeft.Training;

/// <summary>One pass over all rows in order, losses added up.</summary>
internal static class EvaluationPass
{
    public static EvaluationResult Run(
        IDataset data,
        int batchSize,
        int virtualTokens,
        Func<Batch, (double Sum, long Count)> measure,
        Action<int, int>? report = null,
        CancellationToken cancellation = default)
    {
        var order = new BatchOrder(data.RowCount, batchSize, null);
        var (sum, count) = (0.0, 0L);
        for (var i = 0; i < order.BatchesPerEpoch; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            report?.Invoke(i, order.BatchesPerEpoch);
            var batch = data.Collate(order.Rows(0, i));
            if (batch.CountFor(virtualTokens) == 0)
                continue;
            var part = measure(batch);
            (sum, count) = (sum + part.Sum, count + part.Count);
        }

        return new EvaluationResult(sum, count);
    }
}
