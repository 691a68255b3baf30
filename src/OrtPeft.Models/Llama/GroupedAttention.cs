using OrtPeft.Models.Building;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Models.Llama;

/// <summary>
/// Causal attention with rotary positions, where groups of query heads share a head of keys and values. Shared heads
/// are broadcast, not repeated: with fewer of them, queries are
/// <c>[batch, key heads, group, sequence, head_dim]</c> and keys <c>[batch, key heads, 1, …]</c>.
/// </summary>
/// <seealso href="https://arxiv.org/abs/2305.13245">Ainslie et al., GQA.</seealso>
internal sealed class GroupedAttention
{
    private readonly DecoderGraph _decoder;
    private readonly GraphBuilder _g;
    private readonly LlamaConfig _config;
    private readonly bool _isGrouped;
    private readonly RotaryTables _queryTables;
    private readonly RotaryTables _keyTables;
    private readonly Value _queryShape;
    private readonly Value _keyShape;
    private readonly Value? _mask;
    private readonly Value? _windowMask;

    public GroupedAttention(LlamaConfig config, DecoderGraph decoder)
    {
        var (heads, groups, width) = (config.Heads, config.CacheHeads, config.HeadSize);
        _decoder = decoder;
        _g = decoder.Builder;
        _config = config;
        _isGrouped = groups != heads;
        _g.Scope = "/model/rotary_emb";
        var frequencies = RopeTypes.Frequencies(width, config.RopeTheta, config.RopeScaling);
        var tables = RotaryTables.Build(_g, decoder.Positions, frequencies);
        _keyTables = tables.ForHeads(_g, 1, 1);
        // Scores are divided by √d through the queries' tables: once, not in every layer.
        _queryTables = tables.ForHeads(_g, 1 / Math.Sqrt(width), HeadAxes);
        _g.Scope = "/model";
        _queryShape = _isGrouped ? decoder.ByToken(groups, heads / groups, width) : decoder.ByToken(heads, width);
        _keyShape = _isGrouped ? decoder.ByToken(groups, width) : _queryShape;
        var window = config.SlidingWindow;
        _mask = Enumerable.Range(0, config.Layers).All(IsWindowed) ? null : Mask(decoder.IsNotLater());
        _windowMask = window is null ? null : Mask(decoder.IsNotLater(window.Size));
    }

    private ReadOnlySpan<long> HeadAxes => _isGrouped ? [1, 2] : [1];

    /// <summary>Attends within one layer.</summary>
    /// <param name="layer">The layer's number.</param>
    /// <param name="query"><c>[batch · sequence, heads · head_dim]</c>.</param>
    /// <param name="key"><c>[batch · sequence, key heads · head_dim]</c>.</param>
    /// <param name="value"><c>[batch · sequence, key heads · head_dim]</c>.</param>
    /// <returns><c>[batch · sequence, heads · head_dim]</c>.</returns>
    public Value Of(int layer, Value query, Value key, Value value)
    {
        var half = _config.HeadSize / 2;
        var q = _queryTables.Turn(_g, HeadsFirst(query, _queryShape), half);
        var k = _keyTables.Turn(_g, HeadsFirst(key, _keyShape), half);
        var (keys, values) = _decoder.Cached(layer, k, HeadsFirst(value, _keyShape));
        var scores = _g.MatMul(q, ForGroup(_g.Transpose(keys, 0, 1, 3, 2)));
        var weights = _g.Softmax(_g.Add(scores, MaskOf(layer)));
        var mixed = _g.MatMul(weights, ForGroup(values));
        var byToken = _isGrouped ? _g.Transpose(mixed, 0, 3, 1, 2, 4) : _g.Transpose(mixed, 0, 2, 1, 3);
        return _g.Reshape(byToken, -1, _config.Heads * _config.HeadSize);
    }

    /// <summary>Rows of tokens as <c>[batch, heads…, sequence, head_dim]</c>.</summary>
    private Value HeadsFirst(Value rows, Value shape)
    {
        var apart = _g.Op("Reshape", rows, shape);
        return apart.Shape!.Rank == 5 ? _g.Transpose(apart, 0, 2, 3, 1, 4) : _g.Transpose(apart, 0, 2, 1, 3);
    }

    private Value ForGroup(Value shared) => _isGrouped ? _g.Unsqueeze(shared, 2) : shared;

    private bool IsWindowed(int layer) => _config.SlidingWindow?.IsIn(layer) == true;

    private Value MaskOf(int layer) => (IsWindowed(layer) ? _windowMask : _mask)!;

    /// <summary>
    /// HF's eager mask: the lowest float32, to be added to the score of each key that a query may not see or that has 0
    /// in the attention mask. A query all of whose keys are hidden attends to all of them evenly, as in HF.
    /// </summary>
    private Value Mask(Value isInSight)
    {
        var isGiven = _g.Cast(_g.Unsqueeze(_decoder.Attention, 1, 2), ElementType.Bool);
        var isSeen = _g.Op("And", isGiven, isInSight);
        var (zero, lowest) = (_g.Scalar(ElementType.Float, 0), _g.Scalar(ElementType.Float, float.MinValue));
        var mask = _g.Where(isSeen, zero, lowest);
        return _isGrouped ? _g.Unsqueeze(mask, 1) : mask;
    }
}
