using OrtPeft.Onnx.Building;

namespace OrtPeft.Onnx.Passes.Contrib;

/// <summary>y = x / √(mean(x²) + ε) · scale, over the axes from <c>axis</c> on.</summary>
internal static class RootMeanSquare
{
    public static Value?[] Of(Node node, GraphBuilder g)
    {
        var x = node.Inputs[0]!;
        var axis = (int)node.Attributes.Int("axis", -1);
        if (axis >= 0)
            axis -= x.Shape?.Rank ?? throw ContribOps.Refusal(node, $"an input '{x.Name}' of unknown rank");
        long[] axes = [.. Enumerable.Range(axis, -axis).Select(static a => (long)a)];
        var (y, inverse) = Normalize(g, x, node.Inputs[1]!, axes, node.Attributes.Float("epsilon", 1e-5f));
        return [y, inverse];
    }

    public static (Value Y, Value InverseDeviation) Normalize(
        GraphBuilder g, Value x, Value scale, long[] axes, float epsilon)
    {
        var mean = g.ReduceMean(g.Mul(x, x), axes);
        var inverse = g.Op("Reciprocal", g.Op("Sqrt", g.Add(mean, epsilon)));
        return (g.Mul(g.Mul(x, inverse), scale), inverse);
    }
}
