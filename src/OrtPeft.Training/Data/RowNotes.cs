namespace OrtPeft.Training.Data;

/// <summary>Remarks on a file as a whole, once its rows have been read.</summary>
internal sealed class RowNotes(DataPlace file)
{
    private readonly List<string> _unused = [];
    private readonly SortedDictionary<string, int> _found = new(StringComparer.Ordinal);
    private int _rows;
    private int _unlearned;
    private int _cut;
    private int _firstLine;
    private int _overlong;

    /// <summary>Takes a row in, as it stands in the file and as it is trained on.</summary>
    /// <param name="row">The row.</param>
    /// <param name="whole">As it stands in the file.</param>
    /// <param name="parts">As it is trained on; none where it is left out for its length.</param>
    public void Add(JsonRow row, Example whole, IReadOnlyList<Example> parts)
    {
        _rows++;
        var found = RowKinds.NameOf(row)!; // it was read, so it is one
        _found[found] = _found.GetValueOrDefault(found) + 1;
        _unused.AddRange(row.UnusedFields.Except(_unused));
        if (parts.Count == 0)
        {
            _overlong++;
            return;
        }

        if (parts.Any(static part => part.SupervisedTokens > 0))
            return;
        if (_unlearned++ == 0)
            _firstLine = whole.Line;
        if (whole.SupervisedTokens > 0)
            _cut++;
    }

    /// <summary>Says what was found, and warns of what may not be meant: a line of fields that are not read, and one of
    /// rows without a label.</summary>
    /// <exception cref="TrainingDataException">There is no row, or none that has something to learn.</exception>
    public void Conclude(Action<string> warn, Action<string> note)
    {
        if (_rows == 0)
            throw file.Error($"the file has no rows; give at least one JSON object");
        note($"{file}: {string.Join(", ", _found.Select(static f => FormattableString.Invariant($"{f.Value} of {f.Key}")))}");
        if (_unused.Count > 0)
            warn($"{file}: fields without effect: {string.Join(", ", _unused.Select(DataPlace.Shown))}.");
        if (_overlong > 0)
            warn($"{file}: {_overlong} of {_rows} rows are longer than SequenceLength and left out.");
        if (_unlearned + _overlong == _rows)
        {
            const string Check = "check labels, completions, weights and SequenceLength";
            throw file.Error($"none of the {_rows} rows contains a token to learn; {Check}");
        }

        if (_unlearned > 0)
            warn($"{file}: {_unlearned} of {_rows} rows have nothing to learn, {_cut} of them cut to SequenceLength; the first "
                + $"is line {_firstLine}.");
    }
}
