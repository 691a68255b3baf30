using System.Collections.Immutable;
using OrtPeft.Tokenizers;

namespace OrtPeft.Training.Data;

/// <summary>Collects the tokens of a text row piece by piece, each piece supervised or not.</summary>
internal sealed class TokenSequence(ITokenizer tokenizer)
{
    private readonly ImmutableArray<int>.Builder _ids = ImmutableArray.CreateBuilder<int>();
    private readonly ImmutableArray<int>.Builder _labels = ImmutableArray.CreateBuilder<int>();

    public TokenSequence Context(string text) => Add(text, supervised: false);

    public TokenSequence Supervised(string text) => Add(text, supervised: true);

    /// <summary>Appends the supervised end-of-text token, if the tokenizer has one.</summary>
    public TokenSequence EndOfText()
    {
        if (tokenizer.EndOfTextId is { } id)
            Add(id, supervised: true);
        return this;
    }

    /// <summary>The row; labels that are the ids themselves share their array.</summary>
    public Example ToExample(DataPlace place, string field)
    {
        if (_ids.Count == 0)
            throw place.Error(field, $"it holds no text; leave the row out");
        ImmutableArray<int> ids = _ids.DrainToImmutable();
        ImmutableArray<int> labels = _labels.Contains(Example.IgnoredLabel) ? _labels.DrainToImmutable() : ids;
        return new Example(ids, labels) { File = place.File, Line = place.Line };
    }

    private TokenSequence Add(string text, bool supervised)
    {
        IReadOnlyList<int> ids = tokenizer.Encode(text);
        bool begins = _ids.Count == 0 && ids.Count > 0;
        foreach (int id in begins ? tokenizer.WithStart(ids) : ids)
            Add(id, supervised);
        return this;
    }

    private void Add(int id, bool supervised)
    {
        _ids.Add(id);
        _labels.Add(supervised ? id : Example.IgnoredLabel);
    }
}
