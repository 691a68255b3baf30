using OrtPeft.Artifacts;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Compilation.Optimizers;

/// <summary>
/// <see cref="MuonConfig"/> as a graph: b ← μ·b + (1 − μ)·g, p ← p − η·λ·p − η·s·orthogonal(b, or looking ahead
/// (1 − μ)·g + μ·b), with s for the matrix's shape.
/// </summary>
internal static class Muon
{
    private const int Iterations = 5;
    private const double Smallest = 1e-7;

    private static readonly (double A, double B, double C) Coefficients = (3.4445, -4.7750, 2.0315);

    /// <inheritdoc cref="AdamW.Build"/>
    public static Term Build(OptimizerStep step, MuonConfig config)
    {
        var stacks = step.Stacks;
        var momentum = stacks.Of(step.State(ValueRoles.Momentum));
        var vectors = stacks.All.Where(static s => !s.IsMatrix).Select(static s => s.Tensors * s.Count).ToArray();
        var squares = new Queue<Term>(
            vectors.Length == 0 ? [] : stacks.Parts(step.State(ValueRoles.SecondMoments, ElementType.Float, vectors.Sum()), vectors));
        var (updates, moments, newSquares) = (new List<Term>(), new List<Term>(), new List<Term>());
        foreach (var ((stack, g), b) in stacks.All.Zip(stacks.Of(step.Gradients)).Zip(momentum))
        {
            var decay = stack.IsMatrix ? config.Momentum : config.Beta1;
            var m = decay * b + (1 - decay) * g;
            moments.Add(m);
            if (stack.IsMatrix)
            {
                updates.Add(OfMatrix(stack, config, config.Nesterov ? (1 - decay) * g + decay * m : m));
                continue;
            }

            var v = config.Beta2 * ReshapeLike(squares.Dequeue(), g) + (1 - config.Beta2) * (g * g);
            newSquares.Add(Reshape(v, -1));
            updates.Add(AdamW.Direction(step.Number, m, v, config.Beta1, config.Beta2, config.Epsilon));
        }

        step.Update(ValueRoles.Momentum, stacks.Flat(moments));
        if (newSquares.Count > 0)
            step.Update(ValueRoles.SecondMoments, stacks.Join(newSquares));
        var update = step.Rate * stacks.Flat(updates);
        return step.Decayed(config.WeightDecay) - update;
    }

    private static Term OfMatrix(TensorStack stack, MuonConfig config, Term momentum)
    {
        var scale = config.OriginalRate
            ? Math.Sqrt(Math.Max(1, (double)stack.Rows / stack.Columns))
            : 0.2 * Math.Sqrt(Math.Max(stack.Rows, stack.Columns));
        return scale * Orthogonal(momentum, isTall: stack.Rows > stack.Columns);
    }

    /// <summary>
    /// A matrix with the same singular vectors and singular values near 1: X ← a·X + (b·XXᵀ + c·(XXᵀ)²)·X, on the side that
    /// has fewer rows.
    /// </summary>
    private static Term Orthogonal(Term matrices, bool isTall)
    {
        var (a, b, c) = Coefficients;
        var x = isTall ? Turned(matrices) : matrices;
        x /= Max(Sqrt(Sum(x * x, [-2, -1])), Smallest);
        for (var i = 0; i < Iterations; i++)
        {
            var gram = MatMul(x, Turned(x));
            x = a * x + MatMul(b * gram + c * MatMul(gram, gram), x);
        }

        return isTall ? Turned(x) : x;
    }

    /// <summary>The last two axes exchanged.</summary>
    private static Term Turned(Term x)
    {
        var rank = x.Shape!.Rank;
        var axes = Enumerable.Range(0, rank).Select(static axis => (long)axis).ToArray();
        (axes[^1], axes[^2]) = (axes[^2], axes[^1]);
        return x.Builder.Term(x.Builder.Transpose(x, axes));
    }
}
