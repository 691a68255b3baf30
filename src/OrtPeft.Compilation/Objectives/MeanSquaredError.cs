using OrtPeft.Autodiff;

namespace OrtPeft.Compilation.Objectives;

/// <summary>
/// Σ (y − target)² over all elements, reported as its mean: PyTorch's <c>MSELoss</c>. Adds the input <c>target</c>, of
/// the
/// output's shape.
/// </summary>
public sealed class MeanSquaredError : IObjective
{
    /// <inheritdoc/>
    public string Name => "mse";

    /// <inheritdoc/>
    public LossValues Build(LossScope scope)
    {
        ArgumentNullException.ThrowIfNull(scope);
        var (g, y) = (scope.Builder, scope.Output);
        var difference = g.Term(y) - g.Graph.AddInput("target", y.Type, y.Shape);
        var sum = LossSum.Of(difference * difference);
        var count = g.Op("Size", y);
        return new LossValues(sum, count, scope.Scale is null ? [] : [new Seed(y, 2 * difference * scope.Scale)]);
    }
}
