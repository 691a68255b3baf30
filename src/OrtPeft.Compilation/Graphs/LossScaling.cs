using OrtPeft.Artifacts;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Compilation.Graphs;

/// <summary>
/// Dynamic loss scaling with the constants of PyTorch's <c>GradScaler</c>: gradients are computed times a power of two, so that
/// small ones outlive float16. Where they are not finite the step is left out and the factor halved; after 2,000 steps in
/// a row that were not, it doubles. The factor is the optimizer's state, so that it stays where the parameters are.
/// </summary>
/// <seealso href="https://docs.pytorch.org/docs/stable/amp.html#gradient-scaling"/>
internal sealed class LossScaling
{
    /// <summary>The factor at first.</summary>
    public const float Initial = 65536;

    private const double Growth = 2;
    private const double Backoff = 0.5;
    private const double GrowthInterval = 2000;

    private readonly Term _scale;
    private readonly Term _tracker;
    private readonly Term _skipped;

    /// <summary>Adds the states to an optimizer's graph.</summary>
    public LossScaling(GraphBuilder g)
    {
        _scale = g.Term(g.Graph.AddInput(ValueRoles.GradientScale, ElementType.Float, []));
        _tracker = g.Term(g.Graph.AddInput(ValueRoles.GrowthTracker, ElementType.Float, []));
        _skipped = g.Term(g.Graph.AddInput(ValueRoles.SkippedSteps, ElementType.Float, []));
    }

    /// <summary>Multiplies the gradients of a training graph by the factor.</summary>
    /// <param name="training">The graph; edited in place.</param>
    /// <returns>The graph with the input <see cref="ValueRoles.GradientScale"/>.</returns>
    public static CompiledGraph Of(CompiledGraph training)
    {
        ArgumentNullException.ThrowIfNull(training);
        var g = GraphBuilder.Over(training.Model);
        var contract = training.Contract;
        var scale = g.Graph.Find(contract.Input(ValueRoles.LossScale)!.Name)!;
        var factor = g.Graph.AddInput(g.Graph.FreshName(ValueRoles.GradientScale), ElementType.Float, []);
        g.Before = g.Graph.Nodes[0];
        var product = g.Mul(scale, factor);
        g.Graph.ReplaceAllUsesWith(scale, product, product.Producer!);
        var described = GraphContract.Described(factor, ValueRoles.GradientScale);
        return training with { Contract = contract with { Inputs = [.. contract.Inputs, described] } };
    }

    /// <summary>The gradients themselves.</summary>
    public Term Unscaled(Term gradients) => gradients / _scale;

    /// <summary>How many steps were taken, this one included: what Adam corrects its moments by.</summary>
    public Term Taken(Term step) => step - Cast(_skipped, ElementType.Int64);

    /// <summary>Whether the step is left out, by the norm of its gradients.</summary>
    public static Term Skips(Term norm) => !(norm <= float.MaxValue);

    /// <summary>The states after the step. What replaces a state is made after all that reads it.</summary>
    public IEnumerable<(string Role, Term Updated)> States(Term skips)
    {
        var run = _tracker + 1;
        var grows = run >= GrowthInterval;
        var larger = Where(grows, Min(_scale * Growth, Math.Pow(2, 127)), _scale);
        yield return (ValueRoles.GradientScale, Where(skips, _scale * Backoff, larger));
        yield return (ValueRoles.GrowthTracker, Where(skips | grows, 0, run));
        yield return (ValueRoles.SkippedSteps, Where(skips, _skipped + 1, _skipped));
    }
}
