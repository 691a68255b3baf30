using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Numerics;

namespace OrtPeft.Training.Tests.Verdicts;

/// <summary>
/// One and the same decoder in the dresses that exporters give it: one layer of attention with two heads, a residual
/// block and a head. All causal forms compute the same logits for the same tokens.
/// </summary>
internal sealed record TinyDecoder
{
    public const int Vocabulary = 13;

    private const int Width = 8;
    private const int Heads = 2;

    public string Ids { get; init; } = "input_ids";

    public ElementType IdsType { get; init; } = ElementType.Int64;

    public string Logits { get; init; } = "logits";

    /// <summary>Whether hidden states are the first output.</summary>
    public bool HiddenFirst { get; init; }

    public long? Batch { get; init; }

    public long? Length { get; init; }

    /// <summary>One of none, 2, 4 (causal pairs) and keys (four axes, one query for all).</summary>
    public string Mask { get; init; } = "2";

    public string MaskName { get; init; } = "attention_mask";

    public ElementType MaskType { get; init; } = ElementType.Int64;

    public bool HasPositions { get; init; }

    public bool IsCausal { get; init; } = true;

    /// <summary>One of all, last, last without axis, and time first.</summary>
    public string Positions { get; init; } = "all";

    /// <summary>One of plain, scale, softcap, bias and masked.</summary>
    public string Head { get; init; } = "plain";

    public bool KeepsLogitsByInput { get; init; }

    /// <summary>The length of a cache whose slots are written in place, or null for none.</summary>
    public long? Cache { get; init; }

    /// <summary>Activations are rounded to 8 bits by a scale of the whole batch, without a gradient: behind what
    /// trains.</summary>
    public bool RoundsDynamically { get; init; }

    /// <summary>A number in a weight behind what trains, or null for none.</summary>
    public float? Damage { get; init; }

    public Model Build()
    {
        var model = new Model(opset: 21);
        var g = new GraphBuilder(model.Graph, new ShapeInference(21));
        var batch = Batch ?? Dim.Named("batch");
        var length = Length ?? Dim.Named("sequence");
        var ids = model.Graph.AddInput(Ids, IdsType, [batch, length]);
        var embedding = Matrix(g, "model.embed.weight", Vocabulary, Width);
        var tokens = RoundsDynamically ? Rounded(g, embedding, ids) : g.Gather(embedding, ids);
        var x = HasPositions
            ? g.Add(tokens, g.Gather(Matrix(g, "model.places.weight", 32, Width), Places(g, batch, length)))
            : tokens;
        var hidden = Block(g, Attention(g, ids, x, batch, length));
        var logits = Finished(g, Kept(g, hidden));
        if (HiddenFirst)
            Output(g, hidden, "hidden");
        Output(g, logits, Logits);
        return model;
    }

    private static Value Places(GraphBuilder g, Dim batch, Dim length) =>
        g.Graph.AddInput("position_ids", ElementType.Int64, [batch, length]);

    private Value Attention(GraphBuilder g, Value ids, Value x, Dim batch, Dim length)
    {
        var (q, k, v) = (Projected(g, x, "q_proj"), Projected(g, x, "k_proj"), Projected(g, x, "v_proj"));
        if (Cache is { } slots)
            (k, v) = (Cached(g, k, "key", batch, slots), Cached(g, v, "value", batch, slots));
        var scores = g.Mul(g.MatMul(q, g.Transpose(k, 0, 1, 3, 2)), 0.5);
        var queries = Count(g, g.Gather(g.Shape(ids), g.Int64Scalar(1)));
        var keys = Count(g, g.Gather(g.Shape(k), g.Int64Scalar(2)));
        var lowest = g.Scalar(ElementType.Float, float.MinValue);
        if (IsCausal && Mask != "4")
            scores = g.Where(g.Op("LessOrEqual", g.Unsqueeze(keys, 0), g.Unsqueeze(queries, 1)), scores, lowest);
        scores = Masked(g, scores, batch, length, lowest);
        var context = g.Transpose(g.MatMul(g.Softmax(scores), v), 0, 2, 1, 3);
        return g.Add(x, Linear(g, g.Reshape(context, 0, 0, Width), "model.layers.0.o_proj", Width));
    }

    /// <summary>New keys at their places in a cache of zeros, as exports with a static cache do.</summary>
    private static Value Cached(GraphBuilder g, Value heads, string kind, Dim batch, long slots)
    {
        Shape shape = [batch, Heads, slots, Width / Heads];
        var past = g.Graph.AddInput($"past_key_values.0.{kind}", ElementType.Float, shape);
        var at = g.Graph.Find("cache_position")
            ?? g.Graph.AddInput("cache_position", ElementType.Int64, [Dim.Named("sequence")]);
        var (rows, added) = (g.Transpose(past, 2, 0, 1, 3), g.Transpose(heads, 2, 0, 1, 3));
        var written = g.Transpose(g.Op("ScatterND", rows, g.Unsqueeze(at, 1), added), 1, 2, 0, 3);
        Output(g, g.Op("Identity", written), $"present.0.{kind}");
        return written;
    }

    private Value Masked(GraphBuilder g, Value scores, Dim batch, Dim length, Value lowest)
    {
        if (Mask == "none")
            return scores;
        Shape shape = Mask switch
        {
            "2" => [batch, length],
            "4" => [batch, 1, length, length],
            "keys" => [batch, 1, 1, length],
            _ => throw new ArgumentOutOfRangeException(nameof(scores), Mask, "No such mask."),
        };
        var mask = g.Graph.AddInput(MaskName, MaskType, shape);
        if (Mask != "2" && MaskType == ElementType.Float)
            return g.Add(scores, mask);
        var isSeen = g.Cast(mask, ElementType.Bool);
        return g.Where(Mask == "2" ? g.Unsqueeze(isSeen, 1, 2) : isSeen, scores, lowest);
    }

    private static Value Block(GraphBuilder g, Value x) =>
        g.Add(x, Linear(g, g.Op("Relu", Linear(g, x, "model.layers.0.up", 2 * Width)), "model.layers.0.down", Width));

    /// <summary>The positions that get logits.</summary>
    private Value Kept(GraphBuilder g, Value hidden)
    {
        if (KeepsLogitsByInput)
        {
            var count = g.Graph.AddInput("num_logits_to_keep", ElementType.Int64, []);
            return g.Op("Slice", hidden, g.Unsqueeze(g.Neg(count), 0), g.Int64(long.MaxValue), g.Int64(1));
        }

        return Positions switch
        {
            "last" => g.Op("Slice", hidden, g.Int64(-1), g.Int64(long.MaxValue), g.Int64(1)),
            "last without axis" => g.Gather(hidden, g.Int64Scalar(-1), 1),
            "time first" => g.Transpose(hidden, 1, 0, 2),
            _ => hidden,
        };
    }

    private Value Finished(GraphBuilder g, Value hidden)
    {
        var logits = g.MatMul(hidden, Matrix(g, "lm_head.weight", Width, Vocabulary));
        var numbers = Numbers("words", Vocabulary);
        numbers[0] = Damage ?? (Head == "masked" ? float.NegativeInfinity : numbers[0]);
        var words = g.Graph.AddInitializer("words", Tensor.Vector(numbers));
        return Head switch
        {
            _ when Damage is not null => g.Add(logits, words),
            "scale" => g.Div(logits, g.Scalar(ElementType.Float, 2)),
            "softcap" => g.Mul(g.Op("Tanh", g.Div(logits, g.Scalar(ElementType.Float, 5))), 5),
            "bias" or "masked" => g.Add(logits, words),
            _ => logits,
        };
    }

    private static Value Rounded(GraphBuilder g, Value embedding, Value ids)
    {
        var parts = g.Ops("DynamicQuantizeLinear", 3, [g.Gather(embedding, ids)], []);
        return g.Op("DequantizeLinear", parts[0], parts[1], parts[2]);
    }

    private static Value Projected(GraphBuilder g, Value x, string name)
    {
        var rows = Linear(g, x, $"model.layers.0.{name}", Width);
        return g.Transpose(g.Reshape(rows, 0, 0, Heads, Width / Heads), 0, 2, 1, 3);
    }

    private static Value Linear(GraphBuilder g, Value x, string name, int width) =>
        g.MatMul(x, Matrix(g, $"{name}.weight", (int)x.Shape![2].Value!.Value, width));

    private static Value Count(GraphBuilder g, Value length) =>
        g.Op("Range", g.Int64Scalar(0), length, g.Int64Scalar(1));

    private static Value Matrix(GraphBuilder g, string name, int rows, int columns) => g.Graph.Find(name)
        ?? g.Graph.AddInitializer(name, Tensor.Of<float>(Numbers(name, rows * columns), [rows, columns]));

    private static float[] Numbers(string name, int count)
    {
        var random = new SplitMix64(1, name);
        return [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextBelow(2001) - 1000) / 1500.0))];
    }

    private static void Output(GraphBuilder g, Value value, string name)
    {
        g.Graph.Rename(value, name);
        g.Graph.AddOutput(value);
    }
}
