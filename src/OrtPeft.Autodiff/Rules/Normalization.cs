using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Autodiff.Rules;

/// <summary>Softmax and layer normalisation.</summary>
internal static class Normalization
{
    public static IEnumerable<(OpKey Key, GradientRule Rule)> Rows { get; } =
    [
        (("Softmax", 13), Softmax),
        (("LogSoftmax", 13), LogSoftmax),
        (("LayerNormalization", 17), LayerNormalization),
        (("Dropout", 12), Dropout),
    ];

    /// <summary>dX = Y·(dY − Σ dY·Y).</summary>
    private static IReadOnlyList<Value?> Softmax(RuleContext c)
    {
        var weighted = c.G.Mul(c.DY, c.Y);
        var sum = c.G.ReduceSum(weighted, [c.Node.Attributes.Int("axis", -1)]);
        return [c.G.Sub(weighted, c.G.Mul(c.Y, sum))];
    }

    /// <summary>dX = dY − exp(Y)·Σ dY.</summary>
    private static IReadOnlyList<Value?> LogSoftmax(RuleContext c)
    {
        var sum = c.G.ReduceSum(c.DY, [c.Node.Attributes.Int("axis", -1)]);
        return [c.G.Sub(c.DY, c.G.Mul(c.G.Op("Exp", c.Y), sum))];
    }

    /// <summary>
    /// With x̂ = (x − mean)·inv and g = dY·scale: dX = inv·(g − mean(g) − x̂·mean(g·x̂)), dScale = Σ dY·x̂,
    /// dBias = Σ dY. The forward node's own mean and inverse deviation are used.
    /// </summary>
    /// <seealso href="https://onnx.ai/onnx/operators/onnx__LayerNormalization.html">Opset 17.</seealso>
    private static IReadOnlyList<Value?> LayerNormalization(RuleContext c)
    {
        var rank = c.Rank(c.X());
        var axes = Enumerable.Range(0, rank).Select(static a => (long)a).Skip((int)c.Axis(-1, rank)).ToArray();
        var (mean, inverse) = Statistics(c);
        var normal = c.G.Mul(c.G.Sub(c.X(), mean), inverse);
        var g = c.G.Mul(c.DY, c.X(1));
        var shift = c.G.ReduceMean(g, axes);
        var slope = c.G.ReduceMean(c.G.Mul(g, normal), axes);
        var dX = c.G.Mul(c.G.Sub(c.G.Sub(g, shift), c.G.Mul(normal, slope)), inverse);
        return c.PadToInputs(dX, c.G.Mul(c.DY, normal), c.DY);
    }

    /// <summary>
    /// The forward node's second and third output, which it is made to give when it does not yet. They are float32
    /// whatever the input's type.
    /// </summary>
    private static (Value Mean, Value Inverse) Statistics(RuleContext c)
    {
        while (c.Node.Outputs.Count < 3)
            c.G.Graph.AddNodeOutput(c.Node, $"{c.Y.Name}/statistics");
        c.G.Shapes.Infer(c.Node);
        var type = c.X().Type;
        return (c.G.Cast(c.Node.Outputs[1], type), c.G.Cast(c.Node.Outputs[2], type));
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
