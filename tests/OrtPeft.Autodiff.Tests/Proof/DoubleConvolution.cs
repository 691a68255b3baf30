using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Autodiff.Tests.Proof;

/// <summary>
/// Convolutions over one or two axes as Einsum. Per axis a tensor of zeros and ones says which input place p meets
/// which output place o at which place k of the kernel: p = o·stride + k·dilation.
/// </summary>
internal static class DoubleConvolution
{
    public static IReadOnlyList<Value> Conv(GraphBuilder g, Node node)
    {
        var axes = node.Inputs[0]!.Shape!.Rank - 2;
        var (strides, dilations) = (Ints(node, "strides", axes), Ints(node, "dilations", axes));
        long[] pads = node.Attributes.Ints("pads") is { } p ? [0, 0, .. p.Take(axes), 0, 0, .. p.Skip(axes)] : [];
        var x = pads.Length == 0 ? node.Inputs[0]! : g.Op("Pad", node.Inputs[0]!, g.Int64(pads));
        var w = node.Inputs[1]!;
        var places = Enumerable.Range(0, axes).Select(axis =>
        {
            var (length, kernel) = (Length(g, x, axis), Length(g, w, axis));
            var reach = g.Add(g.Mul(g.Add(kernel, -1), dilations[axis]), 1);
            var count = g.Add(g.Div(g.Sub(length, reach), g.Int64Scalar(strides[axis])), 1);
            return Places(g, (count, kernel, length), strides[axis], dilations[axis]);
        });
        var equation = axes == 1 ? "ngcp,okp,gmck->ngmo" : "ngcpq,okp,rlq,gmckl->ngmor";
        var y = Product(g, node, equation, x, w, places);
        long[] spatial = [.. Enumerable.Range(1, axes).Select(static a => (long)a)];
        return [node.Input(2) is { } bias ? g.Add(y, g.Unsqueeze(bias, spatial)) : y];
    }

    /// <summary>Without pads.</summary>
    public static IReadOnlyList<Value> ConvTranspose(GraphBuilder g, Node node)
    {
        var (x, w) = (node.Inputs[0]!, node.Inputs[1]!);
        var axes = x.Shape!.Rank - 2;
        var (strides, dilations) = (Ints(node, "strides", axes), Ints(node, "dilations", axes));
        var places = Enumerable.Range(0, axes).Select(axis =>
        {
            var (count, kernel) = (Length(g, x, axis), Length(g, w, axis));
            var (last, reach) = (g.Mul(g.Add(count, -1), strides[axis]), g.Mul(g.Add(kernel, -1), dilations[axis]));
            return Places(g, (count, kernel, g.Add(g.Add(last, reach), 1)), strides[axis], dilations[axis]);
        });
        var equation = axes == 1 ? "ngco,okp,gcmk->ngmp" : "ngcor,okp,rlq,gcmkl->ngmpq";
        return [Product(g, node, equation, x, w, places)];
    }

    /// <summary>Groups become an axis of their own and channels again.</summary>
    private static Value Product(
        GraphBuilder g, Node node, string equation, Value x, Value w, IEnumerable<Value> places)
    {
        var group = g.Int64(node.Attributes.Int("group", 1), -1);
        var grouped = g.Op("Reshape", x, g.Concat(0, Part(g, x, 0, 1), group, Part(g, x, 2, 9)));
        var kernels = g.Op("Reshape", w, g.Concat(0, group, Part(g, w, 1, 9)));
        var y = g.Op("Einsum", [grouped, .. places, kernels], NodeAttribute.Of("equation", equation));
        return g.Op("Reshape", y, g.Concat(0, Part(g, y, 0, 1), g.Int64(-1), Part(g, y, 3, 9)));
    }

    private static Value Places(GraphBuilder g, (Value O, Value K, Value P) lengths, long stride, long dilation)
    {
        var (o, k) = (g.Mul(Range(g, lengths.O), stride), g.Mul(Range(g, lengths.K), dilation));
        var meets = g.Unsqueeze(g.Add(g.Unsqueeze(o, 1), g.Unsqueeze(k, 0)), 2);
        return g.Cast(g.Op("Equal", meets, Range(g, lengths.P)), ElementType.Double);
    }

    private static Value Range(GraphBuilder g, Value length) =>
        g.Op("Range", g.Int64Scalar(0), length, g.Int64Scalar(1));

    private static Value Length(GraphBuilder g, Value x, int axis) => g.Gather(g.Shape(x), g.Int64Scalar(axis + 2));

    private static Value Part(GraphBuilder g, Value x, long from, long to) =>
        g.Op("Slice", g.Shape(x), g.Int64(from), g.Int64(to));

    private static long[] Ints(Node node, string name, int axes) =>
        node.Attributes.Ints(name) ?? [.. Enumerable.Repeat(1L, axes)];
}
