using System.Text.RegularExpressions;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Onnx.Passes;

/// <summary>
/// Takes products of integers that ONNX Runtime's dynamic quantiser made back to products of floats: <c>
/// DynamicQuantizeLinear</c>, <c>MatMulInteger</c>, <c>Cast</c> and <c>Mul</c> by the scales become <c>MatMul</c> by the
/// dequantised weight. Activations are no longer rounded, so results differ a little from the graph's own, which depend
/// on whatever else is in the batch.
/// </summary>
/// <seealso href="https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html">ONNX Runtime's
/// quantisation.</seealso>
internal static partial class DynamicProducts
{
    private const string Microsoft = "com.microsoft";

    /// <summary>Whether a node is a product of integers that this takes apart, or one that ONNX Runtime made of it.</summary>
    public static bool Is(Node node) =>
        node.Is("MatMulInteger") || node is { OpType: "DynamicQuantizeMatMul" or "MatMulIntegerToFloat", Domain: Microsoft };

    /// <summary>Runs the pass in place; a product whose parts are not constants, or read otherwise, stays.</summary>
    /// <param name="model">The model, in the operator-set version of <see cref="CanonicalForm"/>.</param>
    public static void Run(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        Node[] nodes = [.. model.Graph.Nodes.Where(Is)];
        if (nodes.Length == 0)
            return;
        var g = GraphBuilder.Over(model);
        var weights = new Dictionary<(Value, Value, Value?), Value>();
        foreach (var node in nodes)
        {
            if (Product.Of(node) is not { } product || product.Content() is not { } content)
                continue;
            var key = (product.Integers, product.Scales, product.ZeroPoints);
            if (!weights.TryGetValue(key, out var weight))
                weights[key] = weight = QuantizedWeight.Insert(g, g.Graph.FreshName(Mark().Replace(product.Integers.Name, "")), content);
            (g.Before, g.Scope) = (node, NodeScope.Of(node.Name));
            var y = g.MatMul(product.X, weight);
            Replacement.Replace(g, product.Result, product.Bias is { } bias ? g.Add(y, bias) : y);
        }

        g.Before = null;
        model.Graph.RemoveDeadCode();
    }

    /// <summary>A product, found by its parts.</summary>
    private sealed record Product(Value X, Value Integers, Value Scales, Value? ZeroPoints, Value? Bias, Value Result)
    {
        public static Product? Of(Node node)
        {
            if (node.OpType == "DynamicQuantizeMatMul")
                return new Product(node.Inputs[0]!, node.Inputs[1]!, node.Inputs[2]!, node.Input(3), node.Input(4), node.Output);
            var quantize = node.Inputs[0]!.Producer;
            if (quantize?.Is("DynamicQuantizeLinear") != true || node.Inputs[0] != quantize.Outputs[0])
                return null;
            if (node.OpType == "MatMulIntegerToFloat")
            {
                return node.Inputs[2] == quantize.Outputs[1] && node.Input(4) == quantize.Outputs[2]
                    ? new Product(quantize.Inputs[0]!, node.Inputs[1]!, node.Inputs[3]!, node.Input(5), node.Input(6), node.Output)
                    : null;
            }

            if (node.Input(2) != quantize.Outputs[2] || Only(node.Output, "Cast") is not { } cast || Only(cast.Output, "Mul") is not { } scaled)
                return null;
            var factor = scaled.Inputs[0] == cast.Output ? scaled.Inputs[1]! : scaled.Inputs[0]!;
            return factor.Producer is { } product && product.Is("Mul") && Other(product, quantize.Outputs[1]) is { } scales
                ? new Product(quantize.Inputs[0]!, node.Inputs[1]!, scales, node.Input(3), null, scaled.Output)
                : null;
        }

        /// <summary>The weight; null where it is not one matrix with a scale for all of it or for each column.</summary>
        public QuantizedTensor? Content()
        {
            if (Integers.Constant is not { Dims: [var rows and > 0 and <= int.MaxValue, var columns and > 0 and <= int.MaxValue] } matrix
                || matrix.Type is not (ElementType.Int8 or ElementType.UInt8)
                || Scales.Constant is not { Type: ElementType.Float } scales || !IsForColumns(scales, columns))
                return null;
            var zeros = ZeroPoints?.Constant;
            if ((ZeroPoints is not null && zeros is null) || (zeros is not null && (zeros.Type != matrix.Type || !IsForColumns(zeros, columns))))
                return null;
            var numbers = scales.ToFloat32();
            var bytes = zeros is null ? null : PackedIntegers.BytesOf(zeros).ToArray();
            return new QuantizedTensor(
                matrix,
                Tensor.Of<float>([.. Enumerable.Range(0, (int)columns).Select(i => numbers[i % numbers.Length])], [1, columns]),
                bytes is null ? null : new Tensor(
                    matrix.Type,
                    [1, columns],
                    new MemoryTensorData(Enumerable.Range(0, (int)columns).Select(i => bytes[i % bytes.Length]).ToArray())),
                RelativeError: 0)
            {
                Axis = 0,
                BlockSize = (int)rows,
            };
        }

        private static bool IsForColumns(Tensor tensor, long columns) =>
            tensor.Count == 1 || (tensor.Count == columns && tensor.Dims[^1] == columns);

        private static Node? Only(Value value, string type) =>
            !value.IsGraphOutput && value.Uses is [{ Node: var reader }] && reader.Is(type) ? reader : null;

        private static Value? Other(Node mul, Value one) =>
            mul.Inputs[0] == one ? mul.Inputs[1] : mul.Inputs[1] == one ? mul.Inputs[0] : null;
    }

    [GeneratedRegex("_(quantized|quant|q)$")]
    private static partial Regex Mark();
}
