namespace OrtPeft.Onnx.Shapes.Rules;

/// <summary>Attention and rotary embeddings, of ONNX Runtime and of the standard from opset 23 on.</summary>
/// <seealso href="https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md"/>
/// <seealso href="https://onnx.ai/onnx/operators/onnx__Attention.html"/>
internal static class AttentionRules
{
    private const string Microsoft = "com.microsoft";

    public static IEnumerable<ShapeRow> Rows =>
    [
        new("Attention", 1, 7, Packed, Microsoft),
        new("MultiHeadAttention", 1, 10, MultiHead, Microsoft),
        new("GroupQueryAttention", 1, 14, GroupQuery, Microsoft),
        new("RotaryEmbedding", 4, 4, ElementwiseRules.Like, Microsoft),
        new("RotaryEmbedding", 3, 4, ElementwiseRules.Like),
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
        var widths = c.Attributes.Ints("qkv_hidden_sizes");
        Dim width = widths is [_, _, var values] ? values : weights[1].Over(3);
        c.Set(0, c.TypeOf(0), [input[0], input[1], width]);
        var past = c.Ranked(4, 5);
        Dim heads = c.Attributes.Int("num_heads", 0);
        var length = c.Has(4) ? past?[3].Plus(input[1]) ?? Dim.Unknown : input[1];
        if (c.Attributes.Int("past_present_share_buffer", 0) != 0)
            length = past?[3] ?? Dim.Unknown;
        c.Set(1, c.TypeOf(0), [2, input[0], heads, length, width.Over(heads)]);
    }

    /// <summary>
    /// Output 0 is [batch, sequence, value width]; 1 and 2 are keys and values, [batch, heads, past + keys, width].
    /// Packed operands keep the heads, and 3 or 2 of each, in axes of their own.
    /// </summary>
    private static void MultiHead(ShapeContext c)
    {
        Dim heads = c.Attributes.Int("num_heads", 1);
        var query = c.ShapeOf(0) ?? ShapeContext.Unknown(3);
        var (key, value) = (c.ShapeOf(1), c.ShapeOf(2));
        if (query.Rank == 5 || key is { Rank: 5 })
        {
            var packed = query.Rank == 5 ? query : key!;
            c.Set(0, c.TypeOf(0), [query[0], query[1], heads.Times(packed[4])]);
            Presents(c, heads, packed[1], packed[4], packed[4]);
            return;
        }

        var isApart = value is { Rank: 4 };
        var width = value is null ? Dim.Unknown : isApart ? value[3] : value[2].Over(heads);
        c.Set(0, c.TypeOf(0), [query[0], query[1], heads.Times(width)]);
        var added = value is null ? Dim.Unknown : value[isApart ? 2 : 1];
        Presents(c, heads, added, query[2].Over(heads), width);

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
        Dim heads = c.Attributes.Int("num_heads", 1);
        Dim groups = c.Attributes.Int("kv_num_heads", 1);
        var query = c.Ranked(0, 3) ?? ShapeContext.Unknown(3);
        var width = c.Has(1) ? query[2].Over(heads) : query[2].Over(heads.Plus(groups.Times(2)));
        c.Set(0, c.TypeOf(0), [query[0], query[1], heads.Times(width)]);
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
        Dim heads = isApart ? query[1] : c.Attributes.Int("q_num_heads", 1);
        Dim groups = isApart ? key[1] : c.Attributes.Int("kv_num_heads", 1);
        var (width, valueWidth) = isApart ? (key[3], value[3]) : (key[2].Over(groups), value[2].Over(groups));
        var total = Behind(c, 4, key[isApart ? 2 : 1]);
        c.Set(0, c.TypeOf(0), isApart
            ? [query[0], query[1], query[2], valueWidth]
            : [query[0], query[1], heads.Times(valueWidth)]);
        c.Set(1, c.TypeOf(0), [query[0], groups, total, width]);
        c.Set(2, c.TypeOf(0), [query[0], groups, total, valueWidth]);
        c.Set(3, c.TypeOf(0), [query[0], heads, query[isApart ? 2 : 1], total]);
    }

    /// <summary>The length of a cache [batch, heads, past, width] with more behind it.</summary>
    private static Dim Behind(ShapeContext c, int cache, Dim added) =>
        c.Has(cache) ? c.Ranked(cache, 4)?[2].Plus(added) ?? Dim.Unknown : added;
}
