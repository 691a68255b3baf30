using System.Collections.Immutable;
using System.Text;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Tokenizers;

namespace OrtPeft.Training.Data;

/// <summary>
/// Collects the tokens of a text row piece by piece, each piece supervised or not. The ids are those of the joined
/// text, as TRL makes them, unless a token would straddle the border of two pieces: then the pieces are tokenised
/// apart, so that what is supervised is exact and a prompt has the ids that it has when text is generated from it.
/// </summary>
internal sealed class RowTokens(ITokenizer tokenizer)
{
    private readonly ImmutableArray<int>.Builder _ids = ImmutableArray.CreateBuilder<int>();
    private readonly ImmutableArray<int>.Builder _labels = ImmutableArray.CreateBuilder<int>();
    private readonly StringBuilder _piece = new();
    private string _before = "";
    private bool _isSupervised;

    public RowTokens Context(string text) => Add(text, supervised: false);

    public RowTokens Supervised(string text) => Add(text, supervised: true);

    /// <summary>Appends the supervised end-of-text token, if the tokenizer has one and the text does not end with
    /// it.</summary>
    public RowTokens EndOfText()
    {
        Flush();
        if (tokenizer.EndOfTextId is { } end && (_labels.Count == 0 || _labels[^1] != end))
        {
            IReadOnlyList<int> ids = _ids.Count == 0 ? [.. tokenizer.WithStart([]), end] : [end];
            foreach (var id in ids)
                Add(id, supervised: true);
        }

        _before = "";
        return this;
    }

    /// <summary>The row; labels that are the ids themselves share their array.</summary>
    public Example ToExample(DataPlace place, string field, RowForm form = RowForm.Other)
    {
        Flush();
        if (_ids.Count == 0)
            throw place.Error(field, $"it holds no text; leave the row out");
        var ids = _ids.DrainToImmutable();
        var labels = _labels.Contains(DecoderLabels.Ignored) ? _labels.DrainToImmutable() : ids;
        return new Example(ids, labels) { File = place.File, Line = place.Line, Form = form };
    }

    /// <summary>Text of one kind is tokenised as one piece.</summary>
    private RowTokens Add(string text, bool supervised)
    {
        if (supervised != _isSupervised)
            Flush();
        _isSupervised = supervised;
        _piece.Append(text);
        return this;
    }

    private void Flush()
    {
        if (_piece.Length == 0)
            return;
        var piece = _piece.ToString();
        _piece.Clear();
        var ids = _before.Length == 0 ? tokenizer.Encode(piece) : After(_before, piece);
        var begins = _ids.Count == 0 && ids.Count > 0;
        foreach (var id in begins ? tokenizer.WithStart(ids) : ids)
            Add(id, _isSupervised);
        _before = piece;
    }

    private IReadOnlyList<int> After(string before, string piece)
    {
        var first = tokenizer.Encode(before);
        var joined = tokenizer.Encode(before + piece);
        var isBorder = joined.Take(first.Count).SequenceEqual(first);
        return isBorder ? [.. joined.Skip(first.Count)] : tokenizer.EncodeContinuation(piece);
    }

    private void Add(int id, bool supervised)
    {
        _ids.Add(id);
        _labels.Add(supervised ? id : DecoderLabels.Ignored);
    }
}
