using OrtPeft.Artifacts;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Compilation.Optimizers;

/// <summary>
/// <see cref="ScheduleFreeAdamWConfig"/> as a graph. The parameters are y = (1 − β₁)·z + β₁·x, where gradients are taken.
/// v ← β₂·v + (1 − β₂)·g², z ← z − η·(g / (√(v / (1 − β₂ᵗ)) + ε) + λ·y), x ← (1 − c)·x + c·z with c = η²ₘₐₓ over the sum of
/// those so far.
/// </summary>
internal static class ScheduleFreeAdamW
{
    /// <inheritdoc cref="AdamW.Build"/>
    public static Term Build(OptimizerStep step, ScheduleFreeAdamWConfig config)
    {
        var (x, z) = (step.State(ValueRoles.Averages), step.State(ValueRoles.Iterates));
        var (v, weights) = (step.State(ValueRoles.SecondMoments), step.State(ValueRoles.Weights, ElementType.Float, 2));
        var g = step.Gradients.Builder;
        var (sum, highest) = (At(weights, 0), Max(At(weights, 1), step.BaseRate));
        var weight = highest * highest;
        var newSum = sum + weight;
        step.Update(ValueRoles.Weights, g.Term(g.Concat(0, Reshape(newSum, 1), Reshape(highest, 1))));

        // A rate of 0 has no weight: 0/0 otherwise.
        var share = weight / Where(Equal(newSum, 0), 1, newSum);
        var newV = config.Beta2 * v + (1 - config.Beta2) * (step.Gradients * step.Gradients);
        step.Update(ValueRoles.SecondMoments, newV);
        var direction = step.Gradients / AdamW.Denominator(step.Number, newV, config.Beta2, config.Epsilon);
        if (config.WeightDecay != 0)
            direction += step.Decay(config.WeightDecay);
        var newZ = z - step.Rate * direction;
        var newX = (1 - share) * x + share * newZ;
        step.Update(ValueRoles.Iterates, newZ);
        step.Update(ValueRoles.Averages, newX);
        return (1 - config.Beta1) * newZ + config.Beta1 * newX;
    }

    private static Term At(Term vector, long index)
    {
        var g = vector.Builder;
        return g.Term(g.Gather(vector, g.Int64Scalar(index)));
    }
}
