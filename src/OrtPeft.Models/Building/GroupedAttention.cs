using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Models.Building;

/// <summary>
/// Causal attention where groups of query heads share a head of keys and values. Shared heads are broadcast, not
/// repeated: with fewer of them, queries are <c>[batch, key heads, group, sequence, head_dim]</c> and keys
/// <c>[batch, key heads, 1, …]</c>.
/// </summary>
/// <seealso href="https://arxiv.org/abs/2305.13245">Ainslie et al., GQA.</seealso>
internal sealed class GroupedAttention
{
    private readonly DecoderGraph _decoder;
    private readonly GraphBuilder _g;
    private readonly HeadForm _form;
    private readonly Value _queryShape;
    private readonly Value _keyShape;
    private readonly Value? _mask;
    private readonly Value? _windowMask;

    /// <summary>Makes what all layers share.</summary>
    /// <param name="decoder">The graph; its scope becomes that of the shared nodes.</param>
    /// <param name="form">The heads.</param>
    /// <param name="layers">How many layers there are.</param>
    public GroupedAttention(DecoderGraph decoder, HeadForm form, int layers)
    {
        var (heads, groups, width) = (form.Heads, form.CacheHeads, form.HeadSize);
        _decoder = decoder;
        _g = decoder.Builder;
        _form = form;
        _queryShape = form.IsGrouped ? decoder.ByToken(groups, heads / groups, width) : decoder.ByToken(heads, width);
        _keyShape = form.IsGrouped ? decoder.ByToken(groups, width) : _queryShape;
        _mask = Enumerable.Range(0, layers).All(IsWindowed) ? null : Mask(decoder.IsNotLater());
        _windowMask = form.Window is { } window ? Mask(decoder.IsNotLater(window.Size)) : null;
    }

    /// <summary>Attends within one layer.</summary>
    /// <param name="layer">The layer's number.</param>
    /// <param name="parts">Queries, keys and values, each <c>[batch · sequence, its heads · head_dim]</c>.</param>
    /// <param name="rotary">Turns queries and keys; null where the layer turns nothing.</param>
    /// <param name="norms">Normalise each head of queries and keys before; null where nothing does.</param>
    /// <returns><c>[batch · sequence, heads · head_dim]</c>.</returns>
    public Value Of(int layer, QueryKeyValue parts, RotaryHeads? rotary, HeadNorms? norms = null)
    {
        var query = HeadsFirst(parts.Query, _queryShape, norms?.Query);
        var key = HeadsFirst(parts.Key, _keyShape, norms?.Key);
        query = rotary is null ? RotaryHeads.Scaled(_g, _form, query) : rotary.Query(query);
        key = rotary is null ? key : rotary.Key(key);
        var (keys, values) = _decoder.Cached(layer, key, HeadsFirst(parts.Value, _keyShape, null));
        var scores = Capped(_g.MatMul(query, ForGroup(_g.Transpose(keys, 0, 1, 3, 2))));
        var weights = _g.Softmax(_g.Add(scores, MaskOf(layer)));
        var mixed = _g.MatMul(weights, ForGroup(values));
        var byToken = _form.IsGrouped ? _g.Transpose(mixed, 0, 3, 1, 2, 4) : _g.Transpose(mixed, 0, 2, 1, 3);
        return _g.Reshape(byToken, -1, _form.Heads * _form.HeadSize);
    }

    /// <summary>Rows of tokens as <c>[batch, heads…, sequence, head_dim]</c>.</summary>
    private Value HeadsFirst(Value rows, Value shape, IModule? norm)
    {
        var apart = _g.Op("Reshape", rows, shape);
        if (norm is not null)
        {
            var scope = _g.Scope;
            apart = norm.Apply(_decoder, apart);
            _g.Scope = scope;
        }

        return apart.Shape!.Rank == 5 ? _g.Transpose(apart, 0, 2, 3, 1, 4) : _g.Transpose(apart, 0, 2, 1, 3);
    }

    private Value Capped(Value scores) => _form.Softcap is { } cap ? Softcap.Apply(_g, scores, cap) : scores;

    private Value ForGroup(Value shared) => _form.IsGrouped ? _g.Unsqueeze(shared, 2) : shared;

    private bool IsWindowed(int layer) => _form.Window?.IsIn(layer) == true;

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
        return _form.IsGrouped ? _g.Unsqueeze(mask, 1) : mask;
    }
}
