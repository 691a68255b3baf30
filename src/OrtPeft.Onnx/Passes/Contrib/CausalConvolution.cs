using OrtPeft.Onnx.Building;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Onnx.Passes.Contrib;

/// <summary>
/// <c>CausalConvWithState</c>: each channel's last K positions weighed and added up. Inputs: x <c>[batch, channels,
/// sequence]</c>, weights <c>[channels, 1, K]</c>, bias <c>[channels]</c> (optional), the positions before x (optional, else
/// zeros). Outputs: the sums, and the positions that a continuation needs.
/// </summary>
internal static class CausalConvolution
{
    public static Value?[] Of(Node node, GraphBuilder g)
    {
        var (weights, isLast) = (node.Inputs[1]!, node.Attributes.Int("channels_last", 0) != 0);
        if (node.Attributes.Int("ndim", 1) != 1 || node.Attributes.Int("state_window", 0) != 0)
            throw ContribOps.Refusal(node, "more than one axis of positions, or a window of states");
        if (weights.Shape is not { Rank: 3 } shape || shape[2].Value is not { } taps || (isLast && !IsOfRank3(node, 0)))
            throw ContribOps.Refusal(node, $"weights {weights} or channels of more than one axis");
        if (node.Attributes.Int("dilation", 1) is not (>= 1 and <= int.MaxValue and var step) || taps is < 1 or > int.MaxValue)
            throw ContribOps.Refusal(node, $"a dilation that is not a distance, or weights {weights}");
        var before = (taps - 1) * step;
        var window = Window(node, g, before, isLast);
        var sum = g.Term(Tap(0));
        for (var tap = 1L; tap < taps; tap++)
            sum += Tap(tap);
        if (node.Input(2) is { } bias)
            sum += g.Unsqueeze(bias, 1);
        var state = g.Op("Slice", window, g.Int64(before == 0 ? long.MaxValue : -before), g.Int64(long.MaxValue), g.Int64(2));
        return [Laid(g, Activated(node, sum), isLast), Laid(g, state, isLast)];

        Value Tap(long tap)
        {
            var end = (tap - taps + 1) * step;
            var part = g.Op("Slice", window, g.Int64(tap * step), g.Int64(end == 0 ? long.MaxValue : end), g.Int64(2));
            return g.Mul(part, g.Squeeze(g.Op("Slice", weights, g.Int64(tap), g.Int64(tap + 1), g.Int64(2)), 1));
        }
    }

    /// <summary>The steps before x, followed by x, channels first.</summary>
    private static Value Window(Node node, GraphBuilder g, long before, bool isLast)
    {
        var x = Laid(g, node.Inputs[0]!, isLast);
        if (node.Input(3) is { } past)
            return g.Concat(2, Laid(g, past, isLast), x);
        return before == 0 ? x : g.Op("Pad", x, g.Int64(0, 0, before, 0, 0, 0));
    }

    private static Value Laid(GraphBuilder g, Value value, bool isLast) => isLast ? g.Transpose(value, 0, 2, 1) : value;

    private static bool IsOfRank3(Node node, int input) => node.Inputs[input]!.Shape?.Rank == 3;

    private static Term Activated(Node node, Term sum) => node.Attributes.String("activation", "none") switch
    {
        "none" => sum,
        "silu" or "swish" => sum * Sigmoid(sum),
        var other => throw ContribOps.Refusal(node, $"the activation '{other}'"),
    };
}
