namespace OrtPeft.Onnx.Shapes.Rules;

/// <summary>Attention and rotary embeddings, of ONNX Runtime and of the standard from opset 23 on.</summary>
/// <seealso href="https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md"/>
/// <seealso href="https://onnx.ai/onnx/operators/onnx__Attention.html"/>
internal static class AttentionRules
{
    private const string Microsoft = "com.microsoft";

    public static IEnumerable<ShapeRow> Rows =>
    [
        new("Attention", 2, 7, Packed, Microsoft) { Attributes = ["num_heads"] },
        new("MultiHeadAttention", 1, 10, MultiHead, Microsoft) { Attributes = ["num_heads"] },
        new("GroupQueryAttention", 7, 14, GroupQuery, Microsoft)
        {
            Optional = [1, 2, 3, 4],
            Integers = [5, 6],
            Attributes = ["num_heads", "kv_num_heads"],
        },
        new("RotaryEmbedding", 4, 4, Rotary, Microsoft) { Integers = [1] },
        new("RotaryEmbedding", 3, 4, StandardRotary) { Integers = [3] },
        new("Attention", 3, 7, Standard),
    ];

    /// <summary>
    /// Output 0 is [batch, sequence, value width]; output 1 the stacked keys and values,
    /// [2, batch, heads, past + sequence, head width].
    /// </summary>
    private static void Packed(ShapeContext c)
    {
        var input = c.Ranked(0, 3) ?? ShapeContext.Unknown(3);
        var weights = c.Ranked(1, 2) ?? ShapeContext.Unknown(2);
        c.Same(input[2], weights[0], "the input's width and the weights' rows");
        Dim heads = c.Count("num_heads");
        var width = PackedWidth(c, weights[1], heads);
        var headWidth = c.Part(width, heads, "the values' width");
        c.Set(0, c.TypeOf(0), [input[0], input[1], width]);
        var past = c.Ranked(4, 5);
        var length = c.Has(4) ? past?[3].Plus(input[1]) ?? Dim.Unknown : input[1];
        if (c.Attributes.Int("past_present_share_buffer", 0) != 0)
            length = past?[3] ?? Dim.Unknown;
        c.Set(1, c.TypeOf(0), [2, input[0], heads, length, headWidth]);
    }

    /// <summary>The values' width: a third of the weights' columns unless it is stated.</summary>
    private static Dim PackedWidth(ShapeContext c, Dim columns, Dim heads)
    {
        const string Stated = "qkv_hidden_sizes";
        if (c.Attributes.Ints(Stated) is not { } widths)
            return c.Part(columns, 3, "the number of the weights' columns");
        if (widths.Length != 3 || widths.Any(static w => w is < 1 or > int.MaxValue))
            throw c.Error($"'{Stated}' is [{string.Join(", ", widths)}], not three widths");
        foreach (var width in widths)
            c.Part(width, heads, $"a width of '{Stated}'");
        c.Same(columns, widths.Sum(), $"the number of the weights' columns and the sum of '{Stated}'");
        return widths[2];
    }

    /// <summary>
    /// Output 0 is [batch, sequence, value width]; 1 and 2 are keys and values, [batch, heads, past + keys, width].
    /// Packed operands keep the heads, and 3 or 2 of each, in axes of their own.
    /// </summary>
    private static void MultiHead(ShapeContext c)
    {
        Dim heads = c.Count("num_heads");
        var query = c.Ranked(0, 3, 5) ?? ShapeContext.Unknown(3);
        var (key, value) = (c.Ranked(1, 3, 4, 5), c.Ranked(2, 3, 4));
        if (query.Rank == 5 || key is { Rank: 5 })
        {
            var packed = query.Rank == 5 ? query : key!;
            c.Set(0, c.TypeOf(0), [query[0], query[1], heads.Times(packed[4])]);
            Presents(c, heads, packed[1], packed[4], packed[4]);
            return;
        }

        var isApart = value is { Rank: 4 };
        var width = value is null ? Dim.Unknown : isApart ? value[3] : c.Part(value[2], heads, "the values' width");
        c.Set(0, c.TypeOf(0), [query[0], query[1], heads.Times(width)]);
        var added = value is null ? Dim.Unknown : value[isApart ? 2 : 1];
        Presents(c, heads, added, c.Part(query[2], heads, "the queries' width"), width);

        void Presents(ShapeContext c, Dim heads, Dim added, Dim width, Dim valueWidth)
        {
            c.Set(1, c.TypeOf(0), [query[0], heads, Behind(c, 6, added), width]);
            c.Set(2, c.TypeOf(0), [query[0], heads, Behind(c, 7, added), valueWidth]);
        }
    }

    /// <summary>
    /// Output 0 is [batch, sequence, heads · width]. The presents are as long as the cache, or longer where the longest
    /// row is, which only the run knows.
    /// </summary>
    private static void GroupQuery(ShapeContext c)
    {
        var (heads, groups) = (c.Count("num_heads"), c.Count("kv_num_heads"));
        c.Part(heads, groups, "the number of heads");
        var query = c.Ranked(0, 3) ?? ShapeContext.Unknown(3);
        var width = c.Part(query[2], c.Has(1) ? heads : heads + (2 * groups), "the queries' width");
        foreach (var input in new[] { 1, 2 })
        {
            if (c.Ranked(input, 3) is { } shape)
                c.Same(shape[2], width.Times(groups), $"the width of input {input} and {groups} heads' of the queries");
        }

        c.Set(0, c.TypeOf(0), [query[0], query[1], width.Times(heads)]);
        var length = c.Has(3) ? Dim.Unknown : query[1];
        c.Set(1, c.TypeOf(0), [query[0], groups, length, width]);
        c.Set(2, c.TypeOf(0), [query[0], groups, length, width]);
    }

    /// <summary>
    /// Operands of four axes, [batch, heads, sequence, width], or of three with heads and width in one; the result has
    /// the queries' form. Presents have four axes.
    /// </summary>
    private static void Standard(ShapeContext c)
    {
        if (c.ShapeOf(0) is not { } query || c.ShapeOf(1) is not { } key || c.ShapeOf(2) is not { } value)
        {
            c.Set(0, c.TypeOf(0), null);
            return;
        }

        var isApart = query.Rank == 4;
        if ((query.Rank is not (3 or 4)) || key.Rank != query.Rank || value.Rank != query.Rank)
            throw c.Error($"queries, keys and values have {query.Rank}, {key.Rank} and {value.Rank} axes, not 3 or 4");
        var heads = isApart ? query[1] : c.Count("q_num_heads");
        var groups = isApart ? key[1] : c.Count("kv_num_heads");
        c.Part(heads, groups, "the number of the queries' heads");
        var (width, valueWidth) = isApart
            ? (key[3], value[3])
            : (c.Part(key[2], groups, "the keys' width"), c.Part(value[2], groups, "the values' width"));
        if (!isApart)
            c.Part(query[2], heads, "the queries' width");
        var total = Behind(c, 4, key[isApart ? 2 : 1]);
        c.Set(0, c.TypeOf(0), isApart
            ? [query[0], query[1], query[2], valueWidth]
            : [query[0], query[1], heads.Times(valueWidth)]);
        c.Set(1, c.TypeOf(0), [query[0], groups, total, width]);
        c.Set(2, c.TypeOf(0), [query[0], groups, total, valueWidth]);
        c.Set(3, c.TypeOf(0), [query[0], heads, query[isApart ? 2 : 1], total]);
    }

    /// <summary>x as [batch, sequence, heads · width] or [batch, heads, sequence, width]; tables [places, pairs].
    /// </summary>
    private static void Rotary(ShapeContext c)
    {
        c.Ranked(1, 1, 2);
        var pairs = (c.Ranked(2, 2) ?? ShapeContext.Unknown(2))[1];
        c.Same(pairs, (c.Ranked(3, 2) ?? ShapeContext.Unknown(2))[1], "the tables' widths");
        if (c.Ranked(0, 3, 4) is { Rank: 3 } x)
        {
            if (c.Attributes.Int("rotary_embedding_dim", 0) > 0)
                c.Part(x[2], c.Count("num_heads"), "the width");
            else
                c.Part(x[2], pairs.Times(2), "the width");
        }

        ElementwiseRules.Like(c);
    }

    /// <summary>x in either form; tables [places, pairs] with position ids, [batch, sequence, pairs] without.</summary>
    private static void StandardRotary(ShapeContext c)
    {
        var tables = c.Has(3) ? 2 : 3;
        c.Ranked(1, tables);
        c.Ranked(2, tables);
        c.Ranked(3, 2);
        if (c.Ranked(0, 3, 4) is { Rank: 3 } x && c.Attributes.Int("num_heads", 0) > 0)
            c.Part(x[2], c.Count("num_heads"), "the width");
        ElementwiseRules.Like(c);
    }

    /// <summary>The length of a cache [batch, heads, past, width] with more appended.</summary>
    private static Dim Behind(ShapeContext c, int cache, Dim added) =>
        c.Has(cache) ? c.Ranked(cache, 4)?[2].Plus(added) ?? Dim.Unknown : added;
}
