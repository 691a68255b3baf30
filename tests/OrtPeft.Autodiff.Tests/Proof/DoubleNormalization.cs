using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Autodiff.Tests.Proof;

/// <summary>Normalisations, spelled in operators with float64 kernels.</summary>
internal static class DoubleNormalization
{
    public static IReadOnlyList<Value> Layer(GraphBuilder g, Node node)
    {
        var x = node.Inputs[0]!;
        var rank = x.Shape!.Rank;
        var first = (node.Attributes.Int("axis", -1) + rank) % rank;
        long[] axes = [.. Enumerable.Range((int)first, rank - (int)first).Select(static a => (long)a)];
        var (normal, mean, inverse) = Normalize(g, node, x, axes);
        var scaled = g.Mul(normal, node.Inputs[1]!);
        return [node.Input(2) is { } bias ? g.Add(scaled, bias) : scaled, mean, inverse];
    }

    public static IReadOnlyList<Value> RootMeanSquare(GraphBuilder g, Node node)
    {
        var x = node.Inputs[0]!;
        var rank = x.Shape!.Rank;
        var first = (node.Attributes.Int("axis", -1) + rank) % rank;
        long[] axes = [.. Enumerable.Range((int)first, rank - (int)first).Select(static a => (long)a)];
        var square = g.Add(g.ReduceMean(g.Mul(x, x), axes), node.Attributes.Float("epsilon", 1e-5f));
        var inverse = g.Op("Reciprocal", g.Op("Sqrt", square));
        return [g.Mul(g.Mul(x, inverse), node.Inputs[1]!), inverse];
    }

    public static IReadOnlyList<Value> Group(GraphBuilder g, Node node) =>
        Channels(g, node, node.Attributes.Int("num_groups", 0));

    public static IReadOnlyList<Value> Instance(GraphBuilder g, Node node) => Channels(g, node, 0);

    /// <summary>0 groups: a group per channel.</summary>
    private static IReadOnlyList<Value> Channels(GraphBuilder g, Node node, long groups)
    {
        var x = node.Inputs[0]!;
        var (normal, _, _) = Normalize(g, node, g.Reshape(x, 0, groups, -1), [2]);
        long[] spatial = [.. Enumerable.Range(1, x.Shape!.Rank - 2).Select(static a => (long)a)];
        var scaled = g.Mul(g.ReshapeLike(normal, x), g.Unsqueeze(node.Inputs[1]!, spatial));
        return [g.Add(scaled, g.Unsqueeze(node.Inputs[2]!, spatial))];
    }

    private static (Value Normal, Value Mean, Value Inverse) Normalize(
        GraphBuilder g, Node node, Value x, long[] axes)
    {
        var mean = g.ReduceMean(x, axes);
        var centred = g.Sub(x, mean);
        var variance = g.ReduceMean(g.Mul(centred, centred), axes);
        var inverse = g.Op("Reciprocal", g.Op("Sqrt", g.Add(variance, node.Attributes.Float("epsilon", 1e-5f))));
        return (g.Mul(centred, inverse), mean, inverse);
    }
}
