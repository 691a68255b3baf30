using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Passes;

/// <summary>A convolution of single points is a product with a matrix, channels last.</summary>
internal static class PointConvolution
{
    private static readonly string[] Numbers = ["Cast", "Identity"];

    private static readonly string[] Rounding = ["QuantizeLinear", "DequantizeLinear"];

    /// <summary>A convolution as a product; null where its kernel is wider than a point, is not constant, or is
    /// read by others, and where it has groups, strides or padding.</summary>
    /// <param name="node">A <c>Conv</c>.</param>
    /// <param name="g">The builder of its graph.</param>
    public static Value? Product(Node node, GraphBuilder g)
    {
        if (!IsOfPoints(node) || node.Inputs[1] is not { } kernel || !kernel.Type.IsFloating()
            || Stored(kernel) is not [_, _, 1, .. var more] dims || more.Any(static n => n != 1))
            return null;
        var rank = dims.Length;
        long[] last = [0, .. Enumerable.Range(2, rank - 2).Select(static i => (long)i), 1];
        long[] first = [0, rank - 1, .. Enumerable.Range(1, rank - 2).Select(static i => (long)i)];
        var matrix = Matrix(g, kernel, rank);
        var y = g.MatMul(g.Transpose(node.Inputs[0]!, last), g.Transpose(matrix, 1, 0));
        if (node.Input(2) is { } bias)
            y = g.Add(y, bias);
        return g.Transpose(y, first);
    }

    private static bool IsOfPoints(Node node) => node.Attributes.Int("group", 1) == 1
        && node.Attributes.String("auto_pad", "NOTSET") is "NOTSET" or "VALID" or "SAME_UPPER" or "SAME_LOWER"
        && (node.Attributes.Ints("strides")?.All(static s => s == 1) ?? true)
        && (node.Attributes.Ints("pads")?.All(static p => p == 0) ?? true);

    /// <summary>The axes of the constant that a kernel is, or is made of by rounding and casts; null where it is made of anything
    /// else, or where others read it.</summary>
    private static long[]? Stored(Value kernel)
    {
        if (kernel.Uses.Count > 1 || kernel.IsGraphInput || kernel.IsGraphOutput)
            return null;
        if (kernel.Initializer is { } constant)
            return [.. constant.Dims];
        return kernel.Producer is { Domain: "" } node && Stored(node.Inputs[0]!) is { } dims
            && (Numbers.Contains(node.OpType) || RoundsByTwoAxes(node, dims.Length))
            ? dims
            : null;
    }

    /// <summary>Whether a node has one scale, or one for each output or each input.</summary>
    private static bool RoundsByTwoAxes(Node node, int rank)
    {
        if (!Rounding.Contains(node.OpType) || node.Attributes.Int("block_size", 0) != 0
            || node.Inputs[1]?.Constant is not { Dims.Length: <= 1 } scale)
            return false;
        return scale.Count == 1 || Axis(node, rank) is 0 or 1;
    }

    private static long Axis(Node node, int rank) => node.Attributes.Int("axis", 1) is var axis && axis < 0 ? axis + rank : axis;

    /// <summary>The kernel without its axes of points; the stored matrix takes the stored kernel's name.</summary>
    private static Value Matrix(GraphBuilder g, Value kernel, int rank)
    {
        if (kernel.Initializer is { } stored)
        {
            var name = kernel.Name;
            g.Graph.Rename(kernel, g.Graph.FreshName(name + "/kernel"));
            return g.Graph.AddInitializer(name, new Tensor(stored.Type, stored.Dims[..2], stored.Data, name));
        }

        var node = kernel.Producer!;
        var isOfAxis = Rounding.Contains(node.OpType) && node.Inputs[1]!.Constant is { Count: > 1 };
        NodeAttribute[] attributes =
        [
            .. node.Attributes.Where(static a => a.Name != "axis"),
            .. isOfAxis ? [NodeAttribute.Of("axis", Axis(node, rank))] : Array.Empty<NodeAttribute>(),
        ];
        var matrix = g.Op(node.OpType, [Matrix(g, node.Inputs[0]!, rank), .. node.Inputs.Skip(1)], attributes);
        matrix.Type = kernel.Type;
        return matrix;
    }
}
