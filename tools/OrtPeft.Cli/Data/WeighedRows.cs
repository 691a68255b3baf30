using OrtPeft.Training.Data;

namespace OrtPeft.Cli.Data;

/// <summary>The rows of several files, each file's as often as its weight says.</summary>
internal sealed class WeighedRows
{
    private readonly RowStore _rows;
    private readonly List<int> _numbers = [];
    private readonly HashSet<int> _unlearnt = [];

    /// <summary>Reads the files, each once.</summary>
    public WeighedRows(IReadOnlyList<DataFile> files, Func<DataFile, IEnumerable<Example>> read)
    {
        var count = 0;
        _rows = RowStore.Of(files.SelectMany(file => Of(file, read(file))));

        IEnumerable<Example> Of(DataFile file, IEnumerable<Example> rows)
        {
            var start = count;
            foreach (var row in rows)
            {
                if (row.Form == RowForm.Template && row.SupervisedTokens == 0)
                    _unlearnt.Add(count);
                count++;
                yield return row;
            }

            _numbers.AddRange(file.Weigh(count - start).Select(n => start + n));
        }
    }

    /// <summary>All of them.</summary>
    public IReadOnlyList<Example> All => _rows.Select(_numbers);

    /// <summary>Those without conversations in which nothing is learnt.</summary>
    public IReadOnlyList<Example> Learnt => _rows.Select([.. _numbers.Where(n => !_unlearnt.Contains(n))]);
}
