using OrtPeft.Artifacts;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Compilation.Optimizers;

/// <summary><see cref="LionConfig"/> as a graph: p ← p − η·(sign(β₁·m + (1 − β₁)·g) + λ·p), m ← β₂·m + (1 − β₂)·g.
/// </summary>
internal static class Lion
{
    /// <inheritdoc cref="AdamW.Build"/>
    public static Term Build(OptimizerStep step, LionConfig config)
    {
        var (m, g) = (step.State(ValueRoles.FirstMoments), step.Gradients);
        var direction = config.Beta1 * m + (1 - config.Beta1) * g;
        step.Update(ValueRoles.FirstMoments, config.Beta2 * m + (1 - config.Beta2) * g);
        var sign = direction.Builder.Term(direction.Builder.Op("Sign", direction));
        var move = config.WeightDecay == 0 ? sign : sign + step.Decay(config.WeightDecay);
        return step.Parameters - step.Rate * move;
    }
}
