using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Onnx.Passes.Contrib;

/// <summary>
/// <c>MoE</c> and <c>QMoE</c>: a mixture of experts. Every expert sees every token here, and a token's result is the sum of
/// those that its router chose, weighed; gradients reach the router through the weights.
/// </summary>
internal static class Experts
{
    /// <summary>Inputs: x, the router's logits, and weights <c>[experts, out, in]</c> and bias of each product.</summary>
    public static Value Of(Node node, GraphBuilder g)
    {
        if (node.Input(6) is not null || node.Input(7) is not null)
            throw ContribOps.Refusal(node, "a third product");
        return Mixed(node, g, (node.Inputs[2]!, node.Input(3)), (node.Inputs[4]!, node.Input(5)));
    }

    /// <summary>Inputs: x, the router's logits, integers, scales and bias of each of three products, and their zero points.
    /// </summary>
    public static Value OfQuantized(Node node, GraphBuilder g)
    {
        if (node.Attributes.String("quant_type", "int") != "int" || node.Attributes.Int("weights_prepacked", -1) > 0)
            throw ContribOps.Refusal(node, "weights that are not integers in their own order");
        if (Enumerable.Range(8, 3).Concat(Enumerable.Range(13, 8)).Any(i => node.Input(i) is not null))
            throw ContribOps.Refusal(node, "a third product, weights of its router's own or scales of activations");
        if (node.Attributes.Int("normalize_routing_weights", 0) == 0)
            throw ContribOps.Refusal(node, "normalize_routing_weights=0, which its kernels read differently");
        var first = Dequantized(node, g, 2, node.Input(11));
        var second = Dequantized(node, g, 5, node.Input(12));
        return Mixed(node, g, (first, node.Input(4)), (second, node.Input(7)));
    }

    private static Value Mixed(
        Node node, GraphBuilder g, (Value Weights, Value? Bias) first, (Value Weights, Value? Bias) second)
    {
        var x = node.Inputs[0]!;
        var rows = g.Reshape(x, 1, -1, AttentionCore.Width(node, x));
        var hidden = Activated(node, g, Product(g, rows, first));
        var results = Product(g, hidden, second);
        var shares = g.Unsqueeze(g.Transpose(Shares(node, g), 1, 0), 2);
        return g.ReshapeLike(g.ReduceSum(g.Mul(results, shares), [0], keepDims: false), x);
    }

    /// <summary>The weight of each expert for each token, <c>[tokens, experts]</c>: 0 unless it is one of the k
    /// likeliest.</summary>
    private static Value Shares(Node node, GraphBuilder g)
    {
        if (node.Attributes.Int("use_sparse_mixer", 0) != 0)
            throw ContribOps.Refusal(node, "use_sparse_mixer");
        var chances = g.Softmax(node.Inputs[1]!);
        var chosen = g.Ops("TopK", 2, [chances, g.Int64(node.Attributes.Int("k", 1))], [NodeAttribute.Of("axis", -1L)])[1];
        var none = g.ZerosLike(chances);
        var one = g.Expand(g.Constant(Tensor.Scalar(1f)), g.Shape(chosen));
        var mask = g.Op("ScatterElements", [none, chosen, one], NodeAttribute.Of("axis", 1L));
        var shares = g.Term(g.Mul(chances, mask));
        return node.Attributes.Int("normalize_routing_weights", 0) == 0
            ? shares
            : shares / g.ReduceSum(shares, [-1]);
    }

    private static Value Product(GraphBuilder g, Value x, (Value Weights, Value? Bias) layer)
    {
        var y = g.MatMul(x, g.Transpose(layer.Weights, 0, 2, 1));
        return layer.Bias is { } bias ? g.Add(y, g.Unsqueeze(bias, 1)) : y;
    }

    private static Value Activated(Node node, GraphBuilder g, Value hidden)
    {
        var h = g.Term(hidden);
        return node.Attributes.String("activation_type", "relu") switch
        {
            "relu" => g.Op("Relu", hidden),
            "gelu" => g.Op("Gelu", [hidden], NodeAttribute.Of("approximate", "tanh")),
            "silu" => h * Sigmoid(h),
            "identity" => hidden,
            "swiglu" => Gated(node, g, hidden),
            var other => throw ContribOps.Refusal(node, $"the activation '{other}'"),
        };
    }

    /// <summary>G·σ(αG)·(L + β), G and L no larger than a limit.</summary>
    private static Value Gated(Node node, GraphBuilder g, Value hidden)
    {
        var width = AttentionCore.Width(node, hidden) / 2;
        var parts = node.Attributes.Int("swiglu_fusion", 0) switch
        {
            1 => g.Split(g.Reshape(hidden, 0, 0, width, 2), 3, 1, 1).Select(part => g.Squeeze(part, 3)).ToArray(),
            2 => [.. g.Split(hidden, 2, width, width)],
            _ => throw ContribOps.Refusal(node, "SwiGLU of two products"),
        };
        var (gate, linear) = (g.Term(parts[0]), g.Term(parts[1]));
        if (node.Attributes.Contains("swiglu_limit") && node.Attributes.Float("swiglu_limit", 0) is var limit)
            (gate, linear) = (Min(gate, limit), Max(Min(linear, limit), -limit));
        return gate * Sigmoid(node.Attributes.Float("activation_alpha", 1) * gate)
            * (linear + node.Attributes.Float("activation_beta", 0));
    }

    /// <summary>Integers <c>[experts, out, in]</c> in bytes, in blocks along their last axis, or one for each output.</summary>
    private static Value Dequantized(Node node, GraphBuilder g, int input, Value? zeroPoints)
    {
        var bits = node.Attributes.Int("expert_weight_bits", 4);
        var (packed, scales) = (node.Inputs[input]!, node.Input(input + 1));
        if (bits is not (4 or 8) || packed.Constant is not { Type: ElementType.UInt8, Dims.Length: 3 } bytes
            || scales?.Constant is not { Type: ElementType.Float, Dims.Length: 2 or 3 } scale
            || zeroPoints is { Constant: not { Type: ElementType.UInt8 } })
            throw ContribOps.Refusal(node, $"weights {packed} of {bits} bits, or scales or zero points that are not constant");
        var (type, length) = (bits == 4 ? ElementType.UInt4 : ElementType.UInt8, bytes.Dims[2] * 8 / bits);
        var blocks = scale.Dims.Length == 2 ? 1 : scale.Dims[2];
        long[] perBlock = [bytes.Dims[0], bytes.Dims[1], blocks];
        var size = scale.Dims.Length == 2 ? length : node.Attributes.Int("block_size", 0);
        var zeros = zeroPoints?.Constant?.Data ?? Middles(type, perBlock);
        var count = perBlock[0] * perBlock[1] * blocks;
        if (size < 1 || (length + size - 1) / size != blocks || scale.Count != count || zeros.Length != type.ByteCount(count))
            throw ContribOps.Refusal(node, $"scales {scale} or zero points for {bytes} in blocks of {size}");
        return g.Op(
            "DequantizeLinear",
            [
                Part("integers", new Tensor(type, [bytes.Dims[0], bytes.Dims[1], length], bytes.Data)),
                Part("scales", new Tensor(scale.Type, [.. perBlock], scale.Data)),
                Part("zero_points", new Tensor(type, [.. perBlock], zeros)),
            ],
            NodeAttribute.Of("axis", 2L),
            NodeAttribute.Of("block_size", size));

        Value Part(string what, Tensor content) =>
            g.Graph.AddInitializer(g.Graph.FreshName($"{packed.Name}/{what}"), content);
    }

    private static MemoryTensorData Middles(ElementType type, long[] dims)
    {
        var bytes = new byte[type.ByteCount(dims[0] * dims[1] * dims[2])];
        Array.Fill(bytes, type == ElementType.UInt4 ? (byte)0x88 : (byte)0x80);
        return new MemoryTensorData(bytes);
    }
}
