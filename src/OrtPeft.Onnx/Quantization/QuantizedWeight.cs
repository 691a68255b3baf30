using System.Collections.Immutable;

namespace OrtPeft.Onnx.Quantization;

/// <summary>
/// A matrix that stands in a graph as integers behind a <c>DequantizeLinear</c> of constants, by blocks, by rows or
/// columns, or as a whole; the float32 matrix is the node's output and has the weight's name.
/// </summary>
public sealed class QuantizedWeight
{
    private readonly Tensor _values;
    private readonly Tensor _scales;
    private readonly Tensor? _zeroPoints;

    private QuantizedWeight(Node node, Tensor values, Tensor scales, Tensor? zeroPoints)
    {
        (Node, _values, _scales, _zeroPoints) = (node, values, scales, zeroPoints);
    }

    /// <summary>The <c>DequantizeLinear</c>.</summary>
    public Node Node { get; }

    /// <summary>The matrix' axes.</summary>
    public ImmutableArray<long> Dims => _values.Dims;

    /// <summary>The bytes of integers, scales and zero points.</summary>
    public long ByteCount => _values.Data.Length + _scales.Data.Length + (_zeroPoints?.Data.Length ?? 0);

    /// <summary>Recognises a quantised matrix.</summary>
    /// <param name="value">The value that a layer reads.</param>
    /// <returns>The matrix, or null when the value is anything else.</returns>
    public static QuantizedWeight? Find(Value value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (value.Producer is not { } node || !node.Is("DequantizeLinear"))
            return null;
        var (values, scales, zeroPoints) = (node.Input(0)?.Constant, node.Input(1)?.Constant, node.Input(2)?.Constant);
        var isKnown = values is { Dims.Length: 2 } && PackedIntegers.IsPacked(values.Type)
            && scales is { Type: ElementType.Float, Dims.Length: <= 2 } && (node.Input(2) is null || zeroPoints is not null);
        return isKnown ? new QuantizedWeight(node, values!, scales!, zeroPoints) : null;
    }

    /// <summary>Puts integers in the place of a float32 matrix; every reader reads the dequantised values.</summary>
    /// <param name="graph">The graph, of opset 21 or newer.</param>
    /// <param name="weight">An initializer of the graph; gone afterwards.</param>
    /// <param name="axis">The axis along which blocks run, 0 or 1.</param>
    /// <param name="format">How.</param>
    /// <returns>‖W − Ŵ‖ / ‖W‖.</returns>
    /// <exception cref="ArgumentException">The weight is no float32 matrix, or holds NaN or infinity.</exception>
    /// <remarks>The node comes first in the graph, before every reader.</remarks>
    public static double Replace(Graph graph, Value weight, int axis, BlockFormat format)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(weight);
        ArgumentNullException.ThrowIfNull(format);
        var content = weight.Initializer ?? throw new ArgumentException($"{weight} is no initializer.", nameof(weight));
        var quantized = BlockQuantizer.Quantize(content, axis, format);
        var name = weight.Name;
        graph.Rename(weight, graph.FreshName($"{name}_float"));
        var inputs = new List<Value> { Add(graph, $"{name}_quantized", quantized.Values) };
        inputs.Add(Add(graph, $"{name}_scales", quantized.Scales));
        if (quantized.ZeroPoints is { } zeroPoints)
            inputs.Add(Add(graph, $"{name}_zero_points", zeroPoints));
        NodeAttribute[] attributes =
            [NodeAttribute.Of("axis", (long)axis), NodeAttribute.Of("block_size", (long)format.BlockSize)];
        var label = graph.FreshName($"{name}_dequantize");
        var node = graph.AddNode("DequantizeLinear", inputs, [name], attributes, name: label, before: graph.Nodes[0]);
        (node.Output.Type, node.Output.Shape) = (ElementType.Float, content.Shape);
        graph.ReplaceAllUsesWith(weight, node.Output);
        graph.Remove(weight);
        return quantized.RelativeError;
    }

    /// <summary>The numbers that the node makes, (q − z)·s in float32, in the matrix' layout.</summary>
    /// <returns>A new tensor.</returns>
    public Tensor ToFloat32()
    {
        var (rows, columns) = (checked((int)Dims[0]), checked((int)Dims[1]));
        var scales = _scales.ToFloat32();
        var values = Bytes(_values);
        var zeroPoints = _zeroPoints is null ? [] : Bytes(_zeroPoints);
        var blocks = BlocksOf(rows, columns);
        var result = new float[checked(rows * columns)];
        for (var i = 0; i < result.Length; i++)
        {
            var block = scales.Length == 1 ? 0 : blocks.At(i / columns, i % columns);
            var zero = _zeroPoints is null ? 0 : PackedIntegers.Get(zeroPoints, _zeroPoints.Type, block);
            result[i] = (PackedIntegers.Get(values, _values.Type, i) - zero) * scales[block];
        }

        return Tensor.Of<float>(result, Dims.AsSpan());
    }

    /// <summary>Puts a float32 matrix back in the place of the integers, under the weight's name.</summary>
    /// <param name="content">The matrix, of the same axes.</param>
    public void ReplaceBy(Tensor content)
    {
        var (graph, value) = (Node.Graph!, Node.Output);
        var name = value.Name;
        var parts = Node.Inputs.OfType<Value>().Distinct().ToArray();
        graph.Rename(value, graph.FreshName($"{name}_replaced"));
        graph.ReplaceAllUsesWith(value, graph.AddInitializer(name, content));
        graph.Remove(Node);
        foreach (var part in parts.Where(static p => p.Uses.Count == 0 && !p.IsGraphOutput && p.Initializer is not null))
            graph.Remove(part);
    }

    /// <summary>One scale per row or column is a block as long as the other axis.</summary>
    private Blocks BlocksOf(int rows, int columns)
    {
        var axis = (int)Node.Attributes.Int("axis", 1);
        axis = axis < 0 ? axis + 2 : axis;
        var size = (int)Node.Attributes.Int("block_size", 0);
        return size > 0
            ? new Blocks(rows, columns, axis, size)
            : new Blocks(rows, columns, 1 - axis, Math.Max(1, axis == 0 ? columns : rows));
    }

    private static ReadOnlySpan<byte> Bytes(Tensor tensor) => tensor.Data.Slice(0, checked((int)tensor.Data.Length));

    private static Value Add(Graph graph, string name, Tensor content) =>
        graph.AddInitializer(graph.FreshName(name), content.WithName(name));
}
