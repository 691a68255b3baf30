using System.Runtime.InteropServices;
using OrtPeft.Training.Data;
using OrtPeft.Training.Distributed;

namespace OrtPeft.Training;

/// <summary>One pass over all rows in order, losses added up. Processes that train together take its batches in turn.</summary>
internal static class EvaluationPass
{
    public static EvaluationResult Run(
        IDataset data,
        int batchSize,
        int virtualTokens,
        Func<Batch, (double Sum, long Count)> measure,
        Action<int, int>? report = null,
        ProcessGroup? processes = null,
        CancellationToken cancellation = default)
    {
        processes ??= ProcessGroup.Alone;
        var order = new BatchOrder(data.RowCount, batchSize, null);
        var parts = new (double Sum, long Count)[order.BatchesPerEpoch];
        for (var i = 0; i < order.BatchesPerEpoch; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            if (i % processes.Size != processes.Rank)
                continue;
            report?.Invoke(i, order.BatchesPerEpoch);
            var batch = data.Collate(order.Rows(0, i));
            if (batch.CountFor(virtualTokens) > 0)
                parts[i] = measure(batch);
        }

        var (sum, count) = (0.0, 0L);
        foreach (var part in Shared(parts, processes))
            (sum, count) = (sum + part.Sum, count + part.Count);
        return new EvaluationResult(sum, count);
    }

    /// <summary>Each batch's part from the process that ran it, in the order of batches: the sum does not depend on how many
    /// processes there are.</summary>
    private static (double Sum, long Count)[] Shared((double Sum, long Count)[] parts, ProcessGroup processes)
    {
        if (processes.Size == 1)
            return parts;
        var all = new (double Sum, long Count)[parts.Length * processes.Size];
        processes.AllGather(MemoryMarshal.AsBytes(parts.AsSpan()), MemoryMarshal.AsBytes(all.AsSpan()));
        return [.. parts.Select((_, i) => all[(i % processes.Size * parts.Length) + i])];
    }
}
