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
        var stepSize = step.Rate / Correction(step.Number, config.Beta1);
        return step.Decayed(config.WeightDecay) - stepSize * (newM / Denominator(step.Number, newV, config.Beta2, config.Epsilon));
    }

    /// <summary>The bias-corrected m over <see cref="Denominator"/>: where a step goes.</summary>
    public static Term Direction(Term number, Term m, Term v, double beta1, double beta2, double epsilon) =>
        m / Correction(number, beta1) / Denominator(number, v, beta2, epsilon);

    /// <summary>√(v / (1 − β₂ᵗ)) + ε.</summary>
    public static Term Denominator(Term number, Term v, double beta2, double epsilon) =>
        Sqrt(v) / Sqrt(Correction(number, beta2)) + epsilon;

    /// <summary>
    /// 1 − βᵗ, without float64, which some devices lack. As 1 − eʸ with y = t·ln β it would lose digits in the first steps:
    /// there it is the series −y·(1 + y/2 + y²/6 + …) to y⁵, whose rest is below 2e-8 of it.
    /// </summary>
    private static Term Correction(Term number, double beta)
    {
        const double FirstSteps = 0.1;
        var t = Cast(number, ElementType.Float);
        if (beta == 0)
            return t.Number(1);
        var y = t * Math.Log(beta);
        var series = -y * (1 + y / 2 * (1 + y / 3 * (1 + y / 4 * (1 + y / 5))));
        return Where(y > -FirstSteps, series, 1 - Exp(y));
    }
}
