using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Tests;

/// <summary>
/// A decoder as PyTorch exports Llama: RMSNorm, rotary embeddings, grouped heads and SiLU, all written out. Two layers
/// of width 16, 4 heads over 2 groups, 29 tokens; inputs are ids and a mask.
/// </summary>
internal static class LlamaLike
{
    private const long Width = 16;
    private const long Heads = 4;
    private const long Groups = 2;
    private const long HeadWidth = 4;
    private const long Inner = 24;
    private const long Vocabulary = 29;

    public static Model Build()
    {
        var model = new Model(17);
        var g = new GraphBuilder(model.Graph, new ShapeInference(17));
        var axes = Shape.Create([Dim.Named("batch"), Dim.Named("sequence")]);
        var ids = model.Graph.AddInput("input_ids", ElementType.Int64, axes);
        var mask = model.Graph.AddInput("attention_mask", ElementType.Int64, axes);
        var x = g.Gather(Weight(g, "model.embed_tokens.weight", Vocabulary, Width), ids);
        var hidden = Hidden(g, ids, mask);
        var tables = Rotations(g, ids);
        for (var layer = 0; layer < 2; layer++)
        {
            x = g.Add(x, Attention(g, Norm(g, x, $"model.layers.{layer}.input_layernorm"), layer, hidden, tables));
            x = g.Add(x, Mlp(g, Norm(g, x, $"model.layers.{layer}.post_attention_layernorm"), layer));
        }

        var logits = Linear(g, Norm(g, x, "model.norm"), "lm_head", Width, Vocabulary);
        model.Graph.Rename(logits, "logits");
        model.Graph.AddOutput(logits);
        return model;
    }

    private static Value Norm(GraphBuilder g, Value x, string name)
    {
        g.Scope = $"/{name.Replace('.', '/')}";
        var square = g.Op("ReduceMean", [g.Pow(x, 2)], NodeAttribute.Of("axes", [-1L]));
        var normal = g.Mul(x, g.Op("Reciprocal", g.Op("Sqrt", g.Add(square, 1e-6))));
        return g.Mul(Weight(g, $"{name}.weight", Width), normal);
    }

    private static Value Attention(GraphBuilder g, Value x, int layer, Value hidden, (Value Cos, Value Sin) tables)
    {
        var module = $"model.layers.{layer}.self_attn";
        var q = Turned(g, Apart(g, Linear(g, x, $"{module}.q_proj", Width, Width), Heads), tables);
        var k = Turned(g, Apart(g, Linear(g, x, $"{module}.k_proj", Width, Groups * HeadWidth), Groups), tables);
        var v = Apart(g, Linear(g, x, $"{module}.v_proj", Width, Groups * HeadWidth), Groups);
        var scores = g.Div(g.MatMul(q, g.Transpose(Spread(g, k), 0, 1, 3, 2)), g.ScalarLike(q, 2));
        var y = g.MatMul(g.Softmax(g.Add(scores, hidden)), Spread(g, v));
        var together = g.Reshape(g.Transpose(y, 0, 2, 1, 3), 0, 0, Width);
        return Linear(g, together, $"{module}.o_proj", Width, Width);
    }

    private static Value Mlp(GraphBuilder g, Value x, int layer)
    {
        var module = $"model.layers.{layer}.mlp";
        var gate = Linear(g, x, $"{module}.gate_proj", Width, Inner);
        var silu = g.Mul(gate, g.Op("Sigmoid", gate));
        var up = Linear(g, x, $"{module}.up_proj", Width, Inner);
        return Linear(g, g.Mul(silu, up), $"{module}.down_proj", Inner, Width);
    }

    /// <summary>The exporter transposes PyTorch's weight and gives it a name of its own.</summary>
    private static Value Linear(GraphBuilder g, Value x, string module, long rows, long columns)
    {
        g.Scope = $"/{module}".Replace('.', '/').Replace("layers/", "layers.", StringComparison.Ordinal);
        return g.MatMul(x, Weight(g, g.Graph.FreshName("onnx::MatMul_1"), rows, columns));
    }

    private static Value Apart(GraphBuilder g, Value x, long heads) =>
        g.Transpose(g.Reshape(x, 0, 0, heads, HeadWidth), 0, 2, 1, 3);

    private static Value Spread(GraphBuilder g, Value x) => g.Reshape(
        g.Expand(g.Unsqueeze(x, 2), g.Int64(1, 1, Heads / Groups, 1, 1)), 0, Heads, -1, HeadWidth);

    /// <summary>x·cos + (−x₂, x₁)·sin.</summary>
    private static Value Turned(GraphBuilder g, Value x, (Value Cos, Value Sin) tables)
    {
        var first = g.Op("Slice", x, g.Int64(0), g.Int64(HeadWidth / 2), g.Int64(3));
        var second = g.Op("Slice", x, g.Int64(HeadWidth / 2), g.Int64(long.MaxValue), g.Int64(3));
        return g.Add(g.Mul(x, tables.Cos), g.Mul(g.Concat(3, g.Neg(second), first), tables.Sin));
    }

    private static (Value Cos, Value Sin) Rotations(GraphBuilder g, Value ids)
    {
        var places = g.Cast(g.Unsqueeze(Count(g, ids), 1), ElementType.Float);
        var angles = g.Mul(places, g.Constant(Tensor.Of<float>([1, 0.01f, 1, 0.01f], [1, HeadWidth])));
        return (g.Op("Cos", angles), g.Op("Sin", angles));
    }

    /// <summary>0, or the lowest number for the future and for padding.</summary>
    private static Value Hidden(GraphBuilder g, Value ids, Value mask)
    {
        var count = Count(g, ids);
        var isPast = g.Op("LessOrEqual", g.Unsqueeze(count, 0), g.Unsqueeze(count, 1));
        var isToken = g.Op("Greater", g.Unsqueeze(mask, 1, 2), g.Int64Scalar(0));
        var isSeen = g.Op("And", isPast, isToken);
        return g.Where(isSeen, g.Scalar(ElementType.Float, 0), g.Scalar(ElementType.Float, float.MinValue));
    }

    private static Value Count(GraphBuilder g, Value ids) => g.Op(
        "Range", g.Int64Scalar(0), g.Gather(g.Shape(ids), g.Int64Scalar(1)), g.Int64Scalar(1));

    private static Value Weight(GraphBuilder g, string name, params long[] dims)
    {
        var random = new Random(name.Length);
        var count = (int)dims.Aggregate(1L, static (a, b) => a * b);
        var values = Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() - 0.5)).ToArray();
        return g.Graph.AddInitializer(name, Tensor.Of<float>(values, dims));
    }
}
