using OrtPeft.Artifacts;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Compilation.Optimizers;

/// <summary><see cref="SgdConfig"/> as a graph: g ← g + λ·p, b ← μ·b + g, p ← p − η·b or, looking ahead,
/// p − η·(g + μ·b).</summary>
internal static class Sgd
{
    /// <inheritdoc cref="AdamW.Build"/>
    public static Term Build(OptimizerStep step, SgdConfig config)
    {
        var g = config.WeightDecay == 0 ? step.Gradients : step.Gradients + step.Decay(config.WeightDecay);
        if (config.Momentum == 0)
            return step.Parameters - step.Rate * g;
        var momentum = config.Momentum * step.State(ValueRoles.Momentum) + g;
        step.Update(ValueRoles.Momentum, momentum);
        return step.Parameters - step.Rate * (config.Nesterov ? g + config.Momentum * momentum : momentum);
    }
}
