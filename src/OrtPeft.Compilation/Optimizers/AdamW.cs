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
        return step.Decayed(config.WeightDecay) - stepSize * (newM / Denominator(step.Number, newV, config.Beta2, config.Epsilon));
    }

    /// <summary>The bias-corrected m over <see cref="Denominator"/>: where a step goes.</summary>
    public static Term Direction(Term number, Term m, Term v, double beta1, double beta2, double epsilon)
    {
        var correction = Cast(Correction(Cast(number, ElementType.Double), beta1), ElementType.Float);
        return m / correction / Denominator(number, v, beta2, epsilon);
    }

    /// <summary>√(v / (1 − β₂ᵗ)) + ε.</summary>
    public static Term Denominator(Term number, Term v, double beta2, double epsilon)
    {
        var root = Cast(Sqrt(Correction(Cast(number, ElementType.Double), beta2)), ElementType.Float);
        return Sqrt(v) / root + epsilon;
    }

    /// <summary>1 − βᵗ, in float64: float32 would lose β₂'s first steps.</summary>
    private static Term Correction(Term t, double beta) => 1 - Pow(t.Number(beta), t);
}
