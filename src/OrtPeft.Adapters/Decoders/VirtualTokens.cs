using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Decoders;

/// <summary>
/// Puts P virtual tokens before the sequence. The graph's inputs are lengthened where they enter, so that every length,
/// position and mask that an exporter computes from them fits; then the virtual tokens' rows of the embedding are
/// replaced. With a cache they come in once, while it is empty: later steps find them in it.
/// </summary>
internal sealed class VirtualTokens
{
    private readonly GraphBuilder _g;
    private readonly TokenEmbedding _embedding;
    private readonly Value _prompt;
    private readonly long _count;
    private readonly Value _entering;

    private VirtualTokens(GraphBuilder g, TokenEmbedding embedding, Value prompt)
    {
        _g = g;
        _embedding = embedding;
        _prompt = prompt;
        _count = prompt.Shape![0].Value!.Value;
        g.Scope = "/virtual_tokens";
        g.Before = g.Graph.Nodes[0];
        _entering = Entering();
    }

    /// <summary>Runs.</summary>
    /// <param name="g">The builder of the graph; its types and shapes are known afterwards too.</param>
    /// <param name="embedding">Where the tokens are looked up.</param>
    /// <param name="prompt">The virtual tokens' embeddings, <c>[P, width]</c>.</param>
    /// <exception cref="ConfigException">An input cannot be lengthened.</exception>
    public static void Prepend(GraphBuilder g, TokenEmbedding embedding, Value prompt)
    {
        foreach (var name in (string[])[DecoderNames.Mask, DecoderNames.Positions, DecoderNames.Labels])
        {
            if (g.Graph.Inputs.FirstOrDefault(i => i.Name == name) is { Shape.Rank: not 2 } odd)
                throw new ConfigException(
                    $"Graph '{g.Graph.Name}': the input {odd} has no two axes, so virtual tokens have no place in it.");
        }

        var tokens = new VirtualTokens(g, embedding, prompt);
        tokens.Lengthen(DecoderNames.Ids, ids => tokens.PadFront(ids, tokens._entering, 0));
        tokens.Lengthen(
            DecoderNames.Labels, labels => tokens.PadFront(labels, tokens._entering, DecoderLabels.Ignored));
        tokens.Lengthen(DecoderNames.Mask, mask => tokens.PadFront(mask, g.Int64(tokens._count), 1));
        tokens.Lengthen(DecoderNames.Positions, tokens.Places);
        tokens.ReplaceRows();
        g.Before = null;
        g.Scope = "";
        g.Shapes.Infer(g.Graph);
    }

    /// <summary>How many virtual tokens this run brings, <c>[1] int64</c>: P, or 0 where a cache holds them.</summary>
    private Value Entering()
    {
        if (_g.Graph.Inputs.FirstOrDefault(CacheInputs.IsPast) is not { } past)
            return _g.Int64(_count);
        var length = _g.Gather(_g.Shape(past), _g.Int64(past.Shape!.Rank - 2));
        var isFresh = _g.Cast(_g.Op("Equal", length, _g.Int64(0)), ElementType.Int64);
        return _g.Op("Mul", isFresh, _g.Int64(_count));
    }

    /// <summary>Makes every reader of an input read what is made of it.</summary>
    private void Lengthen(string name, Func<Value, Value> change)
    {
        if (_g.Graph.Inputs.FirstOrDefault(i => i.Name == name) is not { Uses.Count: > 0 } input)
            return;
        var readers = input.Uses.ToArray();
        var longer = change(input);
        foreach (var use in readers)
            use.Node.SetInput(use.Index, longer);
    }

    /// <summary>Pad would do, but has no kernel for int64 on CUDA.</summary>
    private Value PadFront(Value rows, Value count, double filler) => _g.Concat(
        1, _g.Expand(_g.ScalarLike(rows, filler), _g.Concat(0, BatchOf(rows), count)), rows);

    /// <summary>How many rows an input has, <c>[1] int64</c>.</summary>
    private Value BatchOf(Value input) => _g.Op("Slice", _g.Shape(input), _g.Int64(0), _g.Int64(1));

    /// <summary>The virtual tokens stand at 0 to P − 1, and all others P later than without them.</summary>
    private Value Places(Value positions)
    {
        var later = _g.Add(positions, _count);
        var counted = Tensor.Of<long>([.. Enumerable.Range(0, (int)_count).Select(static i => (long)i)], [1, _count]);
        var own = Entered(_g.Constant(counted, "places"), axis: 1);
        return _g.Concat(
            1, _g.Cast(_g.Expand(own, _g.Concat(0, BatchOf(positions), _entering)), positions.Type), later);
    }

    /// <summary>The first rows of the token embedding become the prompt, in every sequence of the batch.</summary>
    private void ReplaceRows()
    {
        var made = Plain(_embedding.LookUp.Rows);
        var readers = made.Uses.ToArray();
        var first = readers.Select(static u => u.Node).ToHashSet();
        _g.Before = _g.Graph.Nodes.First(first.Contains);
        var batch = BatchOf(_g.Graph.Inputs.First(static i => i.Name == DecoderNames.Ids));
        var width = _g.Int64(_embedding.Width);
        var isFlat = made.Shape?.Rank != 3;
        var rows = isFlat ? _g.Op("Reshape", made, _g.Concat(0, batch, _g.Int64(-1), width)) : made;
        var real = _g.Op("Slice", rows, _entering, _g.Int64(long.MaxValue), _g.Int64(1));
        var prompt = _g.Unsqueeze(_g.Cast(Entered(_prompt, axis: 0), made.Type), 0);
        var spread = _g.Expand(prompt, _g.Concat(0, batch, _entering, width));
        var all = _g.Concat(1, spread, real);
        var result = isFlat ? _g.Reshape(all, -1, _embedding.Width) : all;
        foreach (var use in readers)
            use.Node.SetInput(use.Index, result);
    }

    /// <summary>
    /// Picked integers become numbers by plain operators: ONNX Runtime would take a <c>DequantizeLinear</c> for a sign that
    /// what follows may be rounded too.
    /// </summary>
    private Value Plain(Value rows)
    {
        if (rows.Producer is not { } node || !node.Is("DequantizeLinear"))
            return rows;
        _g.Before = node;
        var codes = _g.Cast(node.Inputs[0]!, rows.Type);
        var moved = node.Input(2) is { } zero ? _g.Sub(codes, _g.Cast(zero, rows.Type)) : codes;
        var plain = _g.Op("Mul", moved, node.Inputs[1]!);
        _g.Graph.ReplaceAllUsesWith(rows, plain);
        return plain;
    }

    /// <summary>All P rows, or none where the cache has them.</summary>
    private Value Entered(Value rows, long axis) =>
        _entering.Constant is null ? _g.Op("Slice", rows, _g.Int64(0), _entering, _g.Int64(axis)) : rows;
}
