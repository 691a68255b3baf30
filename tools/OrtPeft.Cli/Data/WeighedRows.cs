using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Reporting;
using OrtPeft.Training.Data;

namespace OrtPeft.Cli.Data;

/// <summary>The rows of several files, each file's as often as its weight says.</summary>
internal sealed class WeighedRows
{
    private readonly RowStore _rows;
    private readonly List<int> _numbers = [];
    private readonly int[] _learned;

    /// <summary>Reads the files, each once.</summary>
    public WeighedRows(IReadOnlyList<DataFile> files, Func<DataFile, IEnumerable<Example>> read)
    {
        var (count, unlearned) = (0, new HashSet<int>());
        _rows = RowStore.Of(files.SelectMany(file => Of(file, read(file))));
        _learned = [.. _numbers.Where(n => !unlearned.Contains(n))];

        IEnumerable<Example> Of(DataFile file, IEnumerable<Example> rows)
        {
            var start = count;
            foreach (var row in rows)
            {
                if (row.Form == RowForm.Template && row.SupervisedTokens == 0)
                    unlearned.Add(count);
                count++;
                yield return row;
            }

            _numbers.AddRange(file.Weigh(count - start).Select(n => start + n));
        }
    }

    /// <summary>All of them.</summary>
    public IReadOnlyList<Example> All => _rows.Select(_numbers);

    /// <summary>Those without conversations in which nothing is learned.</summary>
    public IReadOnlyList<Example> Learned => _rows.Select(_learned);

    /// <summary>The same without a share of the rows, and that share, each row once.</summary>
    /// <param name="share">How many rows to hold out, of 1.</param>
    /// <param name="seed">Which ones.</param>
    /// <exception cref="UsageException">No row would be left, or none be held out.</exception>
    public (IReadOnlyList<Example> Train, IReadOnlyList<Example> HeldOut) Split(double share, long seed)
    {
        int[] rows = [.. _learned.Distinct().Order()];
        var count = (int)Math.Round(share * rows.Length);
        if (count == 0 || count == rows.Length)
        {
            throw new UsageException(
                $"--val-split of {Human.Count(rows.Length, "row")} holds out {(count == 0 ? "none" : "all")} of them; give "
                + "another share or more rows.");
        }

        HashSet<int> heldOut = [.. Drawn.Of(rows.Length, count, seed, "val-split").Select(i => rows[i])];
        return (
            _rows.Select([.. _learned.Where(n => !heldOut.Contains(n))]),
            _rows.Select([.. heldOut.Order()]));
    }
}
