using OrtPeft.Artifacts;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Compilation.Optimizers;

/// <summary><see cref="AdamWConfig"/> as a graph.</summary>
internal static class AdamW
{
    /// <summary>The parameters after a step.</summary>
    public static Term Build(OptimizerStep step, AdamWConfig config)
    {
        var m = step.State(ValueRoles.FirstMoments);
        var v = step.State(ValueRoles.SecondMoments);
        var newM = config.Beta1 * m + (1 - config.Beta1) * step.Gradients;
        var newV = config.Beta2 * v + (1 - config.Beta2) * (step.Gradients * step.Gradients);
        step.Update(ValueRoles.FirstMoments, newM);
        step.Update(ValueRoles.SecondMoments, newV);
        var t = Cast(step.Number, ElementType.Double);
        var stepSize = step.Rate / Cast(Correction(t, config.Beta1), ElementType.Float);
        var root = Cast(Sqrt(Correction(t, config.Beta2)), ElementType.Float);
        var denominator = Sqrt(newV) / root + config.Epsilon;
        var kept = 1 - config.WeightDecay * step.Rate;
        var decayed = config.WeightDecay == 0 ? step.Parameters : step.Parameters * kept;
        return decayed - stepSize * (newM / denominator);
    }

    /// <summary>1 − βᵗ, in float64: float32 would lose β₂'s first steps.</summary>
    private static Term Correction(Term t, double beta) => 1 - Pow(t.Number(beta), t);
}
