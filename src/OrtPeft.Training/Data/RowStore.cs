using System.Collections;

namespace OrtPeft.Training.Data;

/// <summary>
/// Rows that are kept as they are while they are few, and in a file of the folder for temporary files beyond that, so that
/// data of any size is trained on in the memory of its index: eight bytes for each row, and eight more in a
/// <see cref="TokenDataset"/>. The file is gone when the process is. Immutable and thread-safe.
/// </summary>
public sealed class RowStore : IReadOnlyList<Example>
{
    /// <summary>How many tokens are few: 2²⁵, about 256 MiB.</summary>
    public const long DefaultTokensInMemory = 1L << 25;

    private readonly IReadOnlyList<Example> _rows;

    private RowStore(IReadOnlyList<Example> rows) => _rows = rows;

    /// <summary>The number of rows.</summary>
    public int Count => _rows.Count;

    /// <summary>Whether the rows are in a file.</summary>
    public bool IsOnDisk => _rows is RowFile;

    /// <summary>A row; one that is in a file is made anew each time.</summary>
    /// <param name="index">Its number, from 0.</param>
    public Example this[int index] => _rows[index];

    /// <summary>Keeps rows.</summary>
    /// <param name="rows">The rows; enumerated once.</param>
    /// <param name="tokensInMemory">The most tokens that stay in memory; beyond, all rows go to a file.</param>
    /// <returns>The rows in their order.</returns>
    /// <exception cref="IOException">The file cannot be written; the message tells the folder.</exception>
    public static RowStore Of(IEnumerable<Example> rows, long tokensInMemory = DefaultTokensInMemory)
    {
        ArgumentNullException.ThrowIfNull(rows);
        var kept = new List<Example>();
        RowFile? file = null;
        var tokens = 0L;
        foreach (var row in rows)
        {
            tokens += row.Length;
            if (file is null && tokens > tokensInMemory)
            {
                file = RowFile.Create();
                kept.ForEach(file.Append);
                kept = [];
            }

            if (file is null)
                kept.Add(row);
            else
                file.Append(row);
        }

        file?.Flush();
        return new RowStore(file is null ? kept : file);
    }

    /// <summary>Some of the rows, in any order, as often as wanted.</summary>
    /// <param name="numbers">The rows' numbers.</param>
    /// <returns>A view of these rows.</returns>
    public IReadOnlyList<Example> Select(IReadOnlyList<int> numbers)
    {
        ArgumentNullException.ThrowIfNull(numbers);
        return new RowView(this, numbers);
    }

    /// <inheritdoc/>
    public IEnumerator<Example> GetEnumerator() => _rows.GetEnumerator();

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private sealed class RowView(RowStore rows, IReadOnlyList<int> numbers) : IReadOnlyList<Example>
    {
        public int Count => numbers.Count;

        public Example this[int index] => rows[numbers[index]];

        public IEnumerator<Example> GetEnumerator() => numbers.Select(n => rows[n]).GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
