using System.Collections.Immutable;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Tensors;

namespace OrtPeft.Training.Data;

/// <summary>
/// Checks the values of a row and cuts it. Values are checked before cutting: a bad row is bad at any length.
/// </summary>
internal sealed class RowLimits
{
    private readonly int _sequence;
    private readonly int _context;
    private readonly int _vocabulary;
    private readonly OverlongRows _overlong;

    public RowLimits(ExampleReaderOptions options)
    {
        _sequence = AtLeast(2, options.SequenceLength, nameof(options.SequenceLength));
        _overlong = options.Overlong;
        _context = AtLeast(1, options.ContextLength, nameof(options.ContextLength));
        _vocabulary = AtLeast(1, options.VocabularySize, nameof(options.VocabularySize));
        if (options is { SequenceLength: { } sequence, ContextLength: { } context } && sequence > context)
        {
            throw new SettingException(
                $"SequenceLength is {sequence}, but the model has {context} positions; give {context} or less.");
        }
    }

    /// <summary>The row, cut to its length or split into several; none where rows of its length are left out.</summary>
    public IReadOnlyList<Example> Apply(Example example, string field)
    {
        var place = new DataPlace(example.File, example.Line);
        Check(place, field, example.InputIds, id => id >= 0 && id < _vocabulary, VocabularyRange);
        if (example.Labels != example.InputIds)
            Check(place, DecoderNames.Labels, example.Labels, IsLabel, $"{DecoderLabels.Ignored} or {VocabularyRange}");
        if (example.AttentionMask is { } mask)
            Check(place, DecoderNames.Mask, mask, static bit => bit is 0 or 1, "0 or 1");
        if (example.Length <= _sequence)
            return [Fitting(example, place, field)];
        return _overlong switch
        {
            OverlongRows.Cut => [Fitting(Part(example, 0), place, field)],
            OverlongRows.CutStart => [Fitting(Part(example, example.Length - _sequence), place, field)],
            OverlongRows.Drop => [],
            OverlongRows.Split => [.. Starts(example).Select(start => Fitting(Part(example, start), place, field))],
            OverlongRows.Error => throw place.Error(
                field, $"{example.Length} tokens, but rows may have {_sequence}; shorten it, or change Overlong"),
            _ => throw new System.Diagnostics.UnreachableException($"Bug: no rule for {_overlong}."),
        };
    }

    private IEnumerable<int> Starts(Example example) =>
        Enumerable.Range(0, (int)(((long)example.Length + _sequence - 1) / _sequence)).Select(part => part * _sequence);

    private Example Fitting(Example cut, DataPlace place, string field)
    {
        if (cut.LongestSequence > _context)
        {
            throw place.Error(field,
                $"{cut.LongestSequence} tokens, but the model has {_context} positions; SequenceLength {_context} truncates rows");
        }

        if (cut.PositionIds is { } positions)
        {
            Check(place, DecoderNames.Positions, positions, id => id >= 0 && id < _context,
                Allowed(_context, "a position"));
        }

        return cut;
    }

    private string VocabularyRange => Allowed(_vocabulary, "an id of this model's tokenizer");

    private bool IsLabel(int label) => label == DecoderLabels.Ignored || (label >= 0 && label < _vocabulary);

    private Example Part(Example example, int start)
    {
        var kept = start..Math.Min(start + _sequence, example.Length);
        return new Example(
            example.InputIds[kept], example.Labels[kept], example.AttentionMask?[kept], example.PositionIds?[kept])
        {
            File = example.File,
            Line = example.Line,
            Form = example.Form,
            LearnsLastTurnOnly = example.LearnsLastTurnOnly,
        };
    }

    private static void Check(
        DataPlace place, string field, ImmutableArray<int> values, Func<int, bool> isValid, string expected)
    {
        for (var i = 0; i < values.Length; i++)
        {
            if (!isValid(values[i]))
                throw place.Error(field, $"token {i} has the value {values[i]}; expected {expected}");
        }
    }

    private static string Allowed(int count, string what) => count == int.MaxValue
        ? $"0 or more, {what}"
        : FormattableString.Invariant($"0..{count - 1}, {what}");

    private static int AtLeast(int least, int? value, string name)
    {
        return value is not { } given || given >= least
            ? value ?? int.MaxValue
            : throw new SettingException($"{name} is {given}; it must be at least {least}.");
    }
}
