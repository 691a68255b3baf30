namespace OrtPeft.Training.Data;

/// <summary>Rows to train on or to measure with. Reading is thread-safe.</summary>
public interface IDataset
{
    /// <summary>The number of rows, at least 1.</summary>
    int RowCount { get; }

    /// <summary>A number that changes when the rows do; a resumed run checks it.</summary>
    ulong Fingerprint { get; }

    /// <summary>How long a row is; rows that are put together are padded to the longest.</summary>
    /// <param name="row">The row's number, from 0.</param>
    /// <returns>Tokens, at least 1; 1 for rows that are not sequences.</returns>
    int LengthOf(int row);

    /// <summary>How many of a row's tokens the loss looks at.</summary>
    /// <param name="row">The row's number, from 0.</param>
    /// <returns>Tokens, at most the row's length; 1 for rows that are not sequences.</returns>
    int SupervisedTokensOf(int row);

    /// <summary>Puts rows together.</summary>
    /// <param name="rows">Row numbers, from 0.</param>
    /// <returns>What a model is fed with.</returns>
    Batch Collate(IReadOnlyList<int> rows);
}
