using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Optimizers;

/// <summary>An optimiser's step in the making: what it reads, and the state that it moves.</summary>
internal sealed class OptimizerStep
{
    private readonly Graph _graph;
    private readonly GraphBuilder _g;
    private readonly long _count;
    private readonly List<(string Role, Term Updated)> _states = [];

    /// <summary>Takes the graph's inputs.</summary>
    public OptimizerStep(GraphBuilder g, long count, Term parameters, Term gradients, Term rate, Term step)
    {
        (_g, _graph, _count) = (g, g.Graph, count);
        (Parameters, Gradients, Rate, Number) = (parameters, gradients, rate, step);
    }

    /// <summary>The parameters before the step, [n].</summary>
    public Term Parameters { get; }

    /// <summary>The clipped gradients, [n].</summary>
    public Term Gradients { get; }

    /// <summary>The step's rate, [] or, where parameters have rates of their own, [n].</summary>
    public Term Rate { get; }

    /// <summary>The step's number from 1, an int64.</summary>
    public Term Number { get; }

    /// <summary>The states after the step, in the order in which they were taken.</summary>
    public IReadOnlyList<(string Role, Term Updated)> States => _states;

    /// <summary>A vector of state, [n], zeros at first.</summary>
    public Term State(string role) => _g.Term(_graph.AddInput(role, ElementType.Float, [_count]));

    /// <summary>Says what a state becomes.</summary>
    public void Update(string role, Term updated) => _states.Add((role, updated));
}
