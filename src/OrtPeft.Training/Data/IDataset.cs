namespace OrtPeft.Training.Data;

/// <summary>Rows to train on or to measure with. Reading is thread-safe.</summary>
public interface IDataset
{
    /// <summary>The number of rows, at least 1.</summary>
    int RowCount { get; }

    /// <summary>A number that changes when the rows do; a resumed run checks it.</summary>
    ulong Fingerprint { get; }

    /// <summary>Puts rows together.</summary>
    /// <param name="rows">Row numbers, from 0.</param>
    /// <returns>What a model is fed with.</returns>
    FeedBatch Collate(IReadOnlyList<int> rows);
}
