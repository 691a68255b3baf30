using OrtPeft.Artifacts;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Compilation.Optimizers;

/// <summary>
/// <see cref="AdafactorConfig"/> as a graph. Of a matrix, R ← β·R + (1 − β)·mean of g² + ε over columns, C the same over
/// rows, u = g / √(R·C / mean R); of another tensor, V ← β·V + (1 − β)·(g² + ε), u = g / √V; β = 1 − t^−0.8.
/// p ← p − η·λ·p − η·u / max(1, RMS(u)/d).
/// </summary>
internal static class Adafactor
{
    private const double DecayRate = -0.8;

    /// <inheritdoc cref="AdamW.Build"/>
    public static Term Build(OptimizerStep step, AdafactorConfig config)
    {
        var stacks = step.Stacks;
        var beta = 1 - Pow(Cast(step.Number, ElementType.Float), DecayRate);
        var rows = new Moments(step, ValueRoles.RowMoments, beta, static s => s.IsMatrix ? s.Count / s.Columns : 0);
        var columns = new Moments(step, ValueRoles.ColumnMoments, beta, static s => s.IsMatrix ? s.Count / s.Rows : 0);
        var all = new Moments(step, ValueRoles.SecondMoments, beta, static s => s.IsMatrix ? 0 : s.Count);
        var updates = new List<Term>();
        foreach (var (stack, g) in stacks.All.Zip(stacks.Of(step.Gradients)))
        {
            var squares = g * g + config.Epsilon;
            var u = stack.IsMatrix
                ? g * OfRows(rows.Next(Mean(squares, [-1]))) * Reciprocal(Sqrt(columns.Next(Mean(squares, [-2]))))
                : g * Reciprocal(Sqrt(all.Next(squares)));
            var size = Sqrt(stack.Axes is { Length: > 0 } axes ? Mean(u * u, axes) : u * u);
            updates.Add(u / Max(size / config.ClipThreshold, 1));
        }

        rows.Update();
        columns.Update();
        all.Update();
        var update = step.Rate * stacks.Flat(updates);
        return step.Decayed(config.WeightDecay) - update;
    }

    /// <summary>1/√(R / mean R), the mean over a matrix's rows.</summary>
    private static Term OfRows(Term rows) => Reciprocal(Sqrt(rows / Mean(rows, [-2])));

    /// <summary>A state in parts, one for each stack that has any.</summary>
    private sealed class Moments
    {
        private readonly OptimizerStep _step;
        private readonly string _role;
        private readonly Term _beta;
        private readonly Queue<Term> _before = [];
        private readonly List<Term> _after = [];

        /// <summary>Takes the state; of no elements it is none.</summary>
        /// <param name="step">The step.</param>
        /// <param name="role">The state's role.</param>
        /// <param name="beta">The decay.</param>
        /// <param name="count">How many elements it has for each tensor of a stack.</param>
        public Moments(OptimizerStep step, string role, Term beta, Func<TensorStack, long> count)
        {
            (_step, _role, _beta) = (step, role, beta);
            var lengths = step.Stacks.All.Select(s => s.Tensors * count(s)).Where(static n => n > 0).ToArray();
            if (lengths.Length > 0)
                _before = new(step.Stacks.Parts(step.State(role, ElementType.Float, lengths.Sum()), lengths));
        }

        /// <summary>The next stack's moments after the step.</summary>
        public Term Next(Term squares)
        {
            var moments = _beta * ReshapeLike(_before.Dequeue(), squares) + (1 - _beta) * squares;
            _after.Add(Reshape(moments, -1));
            return moments;
        }

        public void Update()
        {
            if (_after.Count > 0)
                _step.Update(_role, _step.Stacks.Join(_after));
        }
    }
}
