using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Autodiff.Rules;

/// <summary>Softmax and layer normalisation.</summary>
internal static class Normalization
{
    public static IEnumerable<(OpKey Key, GradientRule Rule)> Rows { get; } =
    [
        (("Softmax", 13), Softmax),
        (("LogSoftmax", 13), LogSoftmax),
        (("LayerNormalization", 17), LayerNormalization),
        (("SimplifiedLayerNormalization", 1), RmsNormalization),
        (("GroupNormalization", 21), static c => GroupNormalization(c, c.Node.Attributes.Int("num_groups", 1))),
        (("InstanceNormalization", 6), static c => GroupNormalization(c, 0)),
        (("Dropout", 12), Dropout),
    ];

    /// <summary>dX = Y·(dY − Σ dY·Y).</summary>
    private static IReadOnlyList<Value?> Softmax(RuleContext c)
    {
        var weighted = c.DY * c.Y;
        var sum = Sum(weighted, [c.Node.Attributes.Int("axis", -1)]);
        return [weighted - c.Y * sum];
    }

    /// <summary>dX = dY − exp(Y)·Σ dY.</summary>
    private static IReadOnlyList<Value?> LogSoftmax(RuleContext c)
    {
        var sum = Sum(c.DY, [c.Node.Attributes.Int("axis", -1)]);
        return [c.DY - Exp(c.Y) * sum];
    }

    /// <summary>
    /// With x̂ = (x − mean)·inv and g = dY·scale: dX = inv·(g − mean(g) − x̂·mean(g·x̂)), dScale = Σ dY·x̂,
    /// dBias = Σ dY. The forward node's own mean and inverse deviation are used.
    /// </summary>
    /// <seealso href="https://onnx.ai/onnx/operators/onnx__LayerNormalization.html">Opset 17.</seealso>
    private static IReadOnlyList<Value?> LayerNormalization(RuleContext c)
    {
        var axes = NormalizedAxes(c);
        var statistics = Statistics(c, 2);
        var (mean, inverse) = (statistics[0], statistics[1]);
        var normal = (c.X() - mean) * inverse;
        var g = c.DY * c.X(1);
        var shift = Mean(g, axes);
        var slope = Mean(g * normal, axes);
        var dX = (g - shift - normal * slope) * inverse;
        return c.PadToInputs(dX, c.DY * normal, c.DY);
    }

    /// <summary>
    /// With x̂ = x·inv, inv = 1/√(mean(x²) + ε) and g = dY·scale: dX = inv·(g − x̂·mean(g·x̂)), dScale = Σ dY·x̂. The
    /// forward node's own inverse is used.
    /// </summary>
    /// <seealso href="https://onnx.ai/onnx/operators/onnx__RMSNormalization.html">The same in opset 23.</seealso>
    private static IReadOnlyList<Value?> RmsNormalization(RuleContext c)
    {
        var (x, axes) = (c.X(), NormalizedAxes(c));
        var inverse = Statistics(c, 1)[0];
        var normal = x * inverse;
        var g = c.DY * c.X(1);
        var slope = Mean(g * normal, axes);
        return c.PadToInputs((g - normal * slope) * inverse, c.DY * normal);
    }

    /// <summary>
    /// Layer normalisation over each group of channels as one row, then scale and bias per channel. Instance
    /// normalisation has a group per channel (<paramref name="groups"/> 0).
    /// </summary>
    /// <seealso href="https://onnx.ai/onnx/operators/onnx__GroupNormalization.html">Opset 21.</seealso>
    private static IReadOnlyList<Value?> GroupNormalization(RuleContext c, long groups)
    {
        var (x, rank) = (c.X(), c.Rank(c.X()));
        var others = Enumerable.Range(0, rank).Select(static a => (long)a).Where(static a => a != 1).ToArray();
        var perChannel = Unsqueeze(c.X(1), others);
        var rows = groups == 0 ? new[] { 0L, 0L, -1L } : [0L, groups, -1L];
        var x3 = Reshape(x, rows);
        var centred = x3 - Mean(x3, [2]);
        var variance = Mean(centred * centred, [2]);
        var inverse = Reciprocal(Sqrt(variance + c.Node.Attributes.Float("epsilon", 1e-5f)));
        var normal = centred * inverse;
        var g = Reshape(c.DY * perChannel, rows);
        var slope = normal * Mean(g * normal, [2]);
        var dX = (g - Mean(g, [2]) - slope) * inverse;
        var dScale = Sum(c.DY * ReshapeLike(normal, x), others, keepDims: false);
        return [ReshapeLike(dX, x), dScale, Sum(c.DY, others, keepDims: false)];
    }

    /// <summary>The axes of x from the node's axis on.</summary>
    private static long[] NormalizedAxes(RuleContext c)
    {
        var rank = c.Rank(c.X());
        return [.. Enumerable.Range(0, rank).Select(static a => (long)a).Skip((int)c.Axis(-1, rank))];
    }

    /// <summary>
    /// The forward node's outputs after the first, which it is made to give when it does not yet. They are float32
    /// whatever the input's type.
    /// </summary>
    private static Term[] Statistics(RuleContext c, int count)
    {
        while (c.Node.Outputs.Count <= count)
            c.G.Graph.AddNodeOutput(c.Node, $"{c.Y.Value.Name}/statistics");
        c.G.Shapes.Infer(c.Node);
        return [.. c.Node.Outputs.Skip(1).Select(o => Cast(c.G.Term(o), c.X().Type))];
    }

    /// <summary>
    /// Evaluation mode passes everything. Live dropout is lowered to operators that repeat before this runs.
    /// </summary>
    private static IReadOnlyList<Value?> Dropout(RuleContext c)
    {
        var mode = c.Node.Input(2);
        var live = mode is not null && mode.Constant?.ToInt64()[0] != 0;
        return live
            ? throw new UnsupportedOpException($"{c.Node}: live dropout must be lowered before differentiation.")
            : c.PadToInputs(c.DY);
    }
}
