using OrtPeft.Artifacts;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Optimizers;

/// <summary>An optimiser's step in the making: what it reads, and the state that it moves.</summary>
internal sealed class OptimizerStep
{
    private readonly Graph _graph;
    private readonly GraphBuilder _g;
    private readonly IReadOnlyList<ArtifactParameter> _parameters;
    private readonly List<(string Role, Term Updated)> _states = [];

    private TensorStacks? _stacks;
    private Term? _decaying;

    /// <summary>Takes the parameters' layout and the graph's inputs.</summary>
    public OptimizerStep(
        GraphBuilder g, IReadOnlyList<ArtifactParameter> parameters, Term flat, Term gradients, Term rate, Term step)
    {
        (_g, _graph, _parameters, Length) = (g, g.Graph, parameters, FlatLayout.LengthOf(parameters));
        (Parameters, Gradients, BaseRate, Rate, Number) = (flat, gradients, rate, rate, step);
    }

    /// <summary>n, the length of the flat vectors.</summary>
    public long Length { get; }

    /// <summary>The parameters' tensors, those of one shape together.</summary>
    public TensorStacks Stacks => _stacks ??= new TensorStacks(_g, _parameters, Length);

    /// <summary>The parameters before the step, [n].</summary>
    public Term Parameters { get; }

    /// <summary>The clipped gradients, [n].</summary>
    public Term Gradients { get; }

    /// <summary>The step's rate, [].</summary>
    public Term BaseRate { get; }

    /// <summary>The step's rate, [] or, where parameters have rates of their own, [n].</summary>
    public Term Rate { get; init; }

    /// <summary>The step's number from 1, an int64.</summary>
    public Term Number { get; }

    /// <summary>The states after the step, in the order in which they were taken.</summary>
    public IReadOnlyList<(string Role, Term Updated)> States => _states;

    /// <summary>A vector of state, laid out as the parameters, zeros at first or, as
    /// <see cref="ValueRoles.IsParametersAtFirst"/>, the parameters.</summary>
    public Term State(string role) => State(role, ElementType.Float, Length);

    /// <summary>A state of another layout, zeros at first.</summary>
    public Term State(string role, ElementType type, params ReadOnlySpan<long> dims) =>
        _g.Term(_graph.AddInput(role, type, [.. dims]));

    /// <summary>The parameters after decoupled weight decay, p − η·λ·p; as they are where λ is 0.</summary>
    public Term Decayed(double weightDecay) => weightDecay == 0
        ? Parameters
        : Parameters * (1 - (Decaying is { } mask ? weightDecay * mask * Rate : weightDecay * Rate));

    /// <summary>λ·p, and 0 for parameters that are exempt from decay.</summary>
    public Term Decay(double weightDecay) =>
        weightDecay * (Decaying is { } mask ? mask * Parameters : Parameters);

    /// <summary>1 for numbers that decay and 0 for others, [n]; null where all decay.</summary>
    private Term? Decaying => _parameters.Any(static p => p.IsExemptFromDecay) ? _decaying ??= Mask() : null;

    private Term Mask()
    {
        var runs = new List<Value>();
        for (var i = 0; i < _parameters.Count;)
        {
            var (first, isExempt) = (_parameters[i].Offset!.Value, _parameters[i].IsExemptFromDecay);
            while (i < _parameters.Count && _parameters[i].IsExemptFromDecay == isExempt)
                i++;
            var end = i < _parameters.Count ? _parameters[i].Offset!.Value : Length;
            runs.Add(_g.Op("Expand", _g.Scalar(ElementType.Float, isExempt ? 0 : 1), _g.Int64(end - first)));
        }

        return _g.Term(runs is [var only] ? only : _g.Concat(0, [.. runs]));
    }

    /// <summary>Says what a state becomes.</summary>
    public void Update(string role, Term updated) => _states.Add((role, updated));
}
