using OrtPeft.Models.Rotary;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Models.Building;

/// <summary>Turns queries and keys by their tokens' places, and scales the queries. Made once for many layers.</summary>
internal sealed class RotaryHeads
{
    private readonly GraphBuilder _g;
    private readonly HeadForm _form;
    private readonly int _size;
    private readonly RotaryTables _queryTables;
    private readonly RotaryTables _keyTables;

    /// <summary>Makes the tables.</summary>
    /// <param name="decoder">The graph.</param>
    /// <param name="form">The heads.</param>
    /// <param name="rope">How they turn.</param>
    /// <param name="positions">The longest sequence in tokens.</param>
    public RotaryHeads(DecoderGraph decoder, HeadForm form, Rope rope, int positions)
    {
        _g = decoder.Builder;
        _form = form;
        _size = rope.Size(form.HeadSize);
        var frequencies = rope.Frequencies(form.HeadSize, positions);
        var tables = RotaryTables.Build(_g, decoder.Positions, frequencies);
        _keyTables = tables.ForHeads(_g, frequencies.AttentionFactor, 1);
        // Whole heads are scaled through the queries' tables: once, not in every layer.
        var scale = frequencies.AttentionFactor * (IsWhole ? form.Scale : 1);
        _queryTables = tables.ForHeads(_g, scale, form.HeadAxes);
    }

    private bool IsWhole => _size == _form.HeadSize;

    /// <summary>Queries, <c>[batch, …, sequence, head_dim]</c>, turned and scaled.</summary>
    public Value Query(Value x) => IsWhole ? Turned(_queryTables, x) : Scaled(_g, _form, Turned(_queryTables, x));

    /// <summary>Keys, <c>[batch, …, sequence, head_dim]</c>, turned.</summary>
    public Value Key(Value x) => Turned(_keyTables, x);

    /// <summary>Queries of layers that turn nothing.</summary>
    public static Value Scaled(GraphBuilder g, HeadForm form, Value query) =>
        form.Scale == 1 ? query : g.Mul(query, form.Scale);

    private Value Turned(RotaryTables tables, Value x)
    {
        if (IsWhole)
            return tables.Turn(_g, x, _size / 2);
        var parts = _g.Split(x, -1, _size, _form.HeadSize - _size);
        return _g.Concat(-1, tables.Turn(_g, parts[0], _size / 2), parts[1]);
    }
}
