using System.Text.RegularExpressions;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Quantization;

namespace OrtPeft.Onnx.Passes;

/// <summary>
/// Takes <c>MatMulNBits</c> with a constant weight apart into <c>DequantizeLinear</c> and <c>MatMul</c>, so that bases
/// that other tools quantised have layers like those that OrtPeft quantised. ONNX Runtime joins the two again.
/// </summary>
/// <remarks>
/// The weight is stored [N, blocks, bytes]; it is rewritten as [K, N] into memory, the form that a <c>MatMul</c> reads
/// without a <c>Transpose</c>. Where elements are in other blocks than those they lie in, or zero points are not
/// integers, the weight becomes float32.
/// </remarks>
/// <seealso href="https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.MatMulNBits"/>
internal static partial class PackedWeights
{
    /// <summary>Runs the pass in place.</summary>
    /// <param name="model">The model, in the operator-set version of <see cref="CanonicalForm"/>.</param>
    /// <exception cref="UnsupportedOpException">Integers have another number of bits than ONNX Runtime's kernels
    /// read.</exception>
    public static void Run(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        Node[] nodes =
            [.. model.Graph.Nodes.Where(static n => n is { OpType: "MatMulNBits", Domain: "com.microsoft" })];
        if (nodes.Length == 0)
            return;
        foreach (var node in nodes)
            CheckBits(node);
        var g = GraphBuilder.Over(model);
        var weights = new Dictionary<Weight, Value>();
        foreach (var node in nodes)
        {
            if (!weights.TryGetValue(Weight.Of(node), out var weight))
            {
                if (BlockMatMul.Of(node) is not { } product)
                    continue;
                var name = model.Graph.FreshName(NameOf(product.Packed.Name));
                weights[Weight.Of(node)] = weight = product.Integers() is { } integers
                    ? QuantizedWeight.Insert(g, name, integers)
                    : model.Graph.AddInitializer(name, product.ToFloat32());
            }

            (g.Before, g.Scope) = (node, NodeScope.OrName(node.Name));
            var result = g.MatMul(node.Inputs[0]!, weight);
            Replacement.Put(g, node, node.Input(5) is { } bias ? g.Add(result, bias) : result);
        }

        model.Graph.RemoveDeadCode();
    }

    /// <summary>The operator is defined for 2 to 8 bits, but no kernel of ONNX Runtime says how the others lie in bytes.
    /// </summary>
    private static void CheckBits(Node node)
    {
        if (node.Attributes.Int("bits", 4) is not (2 or 4 or 8) and var bits)
        {
            throw new UnsupportedOpException(
                $"{node} has a weight of {bits} bits; OrtPeft and ONNX Runtime's CPU kernel read 2, 4 and 8 bits. "
                + "Quantise the model again with one of these.");
        }
    }

    /// <summary>The float weight's name, from what ONNX Runtime's, Olive's and GenAI's quantisers make of it.</summary>
    private static string NameOf(string packed)
    {
        var bare = Mark().Replace(packed, "");
        return bare.EndsWith(".qweight", StringComparison.Ordinal) ? $"{bare[..^8]}.weight" : bare;
    }

    /// <summary>All that a weight's numbers come from.</summary>
    private sealed record Weight(
        Value? Packed, Value? Scales, Value? ZeroPoints, Value? Groups, long Bits, long BlockSize, long N, long K)
    {
        public static Weight Of(Node node) => new(
            node.Input(1), node.Input(2), node.Input(3), node.Input(4), node.Attributes.Int("bits", 4),
            node.Attributes.Int("block_size", 0), node.Attributes.Int("N", 0), node.Attributes.Int("K", 0));
    }

    [GeneratedRegex(@"(\.MatMul(NBits)?(?=\.q?weight))|(_Q\d+(G\d+)?|_quant|_quantized_T\w*)$")]
    private static partial Regex Mark();
}
