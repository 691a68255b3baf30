using OrtPeft.Artifacts;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Compilation.Graphs;

/// <summary>
/// Gives a graph of the loss one input for all parameters, and one output for all gradients, which adds to what an input
/// has: the flat vectors of <see cref="OptimizerGraph"/>. They can then stay in a device's memory, where there are no views of
/// parts of a value.
/// </summary>
internal static class FlatGraph
{
    /// <summary>Rewrites a graph.</summary>
    /// <param name="compiled">A training or an evaluation graph; its model is edited in place.</param>
    /// <param name="parameters">Its parameters, each with its <see cref="ArtifactParameter.Offset"/>, ascending.</param>
    /// <returns>
    /// Instead of the parameters the input <see cref="ValueRoles.Parameters"/> [n]; instead of the gradients
    /// <see cref="ValueRoles.Updated"/> <see cref="ValueRoles.Gradients"/> [n], the sum of the gradients and, unless
    /// <see cref="ValueRoles.LazyResetGrad"/> [1] is true, of the input <see cref="ValueRoles.Gradients"/> [n].
    /// </returns>
    public static CompiledGraph Of(CompiledGraph compiled, IReadOnlyList<ArtifactParameter> parameters)
    {
        ArgumentNullException.ThrowIfNull(compiled);
        ArgumentNullException.ThrowIfNull(parameters);
        var g = GraphBuilder.Over(compiled.Model);
        var contract = compiled.Contract;
        var inputs = contract.Inputs.Where(static v => v.Role != ValueRoles.Parameter).ToList();
        var outputs = contract.Outputs.Where(static v => v.Role != ValueRoles.Gradient).ToList();
        inputs.Add(GraphContract.Described(OneInput(g, parameters), ValueRoles.Parameters));
        if (outputs.Count < contract.Outputs.Count)
        {
            var (gradients, anew) = (
                Input(g, ValueRoles.Gradients, ElementType.Float, FlatLayout.LengthOf(parameters)),
                Input(g, ValueRoles.LazyResetGrad, ElementType.Bool, 1));
            var sum = OneOutput(g, parameters) + Where(g.Term(anew), 0, g.Term(gradients));
            outputs.Add(GraphContract.Described(Output(g, sum), ValueRoles.Updated(ValueRoles.Gradients)));
            inputs.Add(GraphContract.Described(gradients, ValueRoles.Gradients));
            inputs.Add(GraphContract.Described(anew, ValueRoles.LazyResetGrad));
        }

        g.Graph.SortTopologically();
        return compiled with { Contract = contract with { Inputs = inputs, Outputs = outputs } };
    }

    /// <summary>Slices take the parts, since some providers split into a few parts only.</summary>
    private static Value OneInput(GraphBuilder g, IReadOnlyList<ArtifactParameter> parameters)
    {
        var graph = g.Graph;
        var flat = Input(g, ValueRoles.Parameters, ElementType.Float, FlatLayout.LengthOf(parameters));
        foreach (var parameter in parameters)
        {
            var (offset, own) = (parameter.Offset!.Value, graph.Find(parameter.Input)!);
            var part = g.Op("Slice", flat, g.Int64(offset), g.Int64(offset + parameter.Count), g.Int64(0));
            graph.ReplaceAllUsesWith(own, g.Reshape(part, [.. parameter.Dims]));
            graph.Remove(own);
        }

        return flat;
    }

    /// <summary>The gaps of the layout are zeros.</summary>
    private static Term OneOutput(GraphBuilder g, IReadOnlyList<ArtifactParameter> parameters)
    {
        var parts = new List<Value>();
        foreach (var parameter in parameters)
        {
            var gradient = g.Graph.Find(parameter.Gradient!)!;
            g.Graph.RemoveOutput(gradient);
            parts.Add(g.Reshape(gradient, [-1]));
            var gap = FlatLayout.After(parameter.Offset!.Value, parameter.Count) - parameter.Offset.Value - parameter.Count;
            if (gap > 0)
                parts.Add(g.Constant(Tensor.Of<float>(new float[gap], [gap]), "gap"));
        }

        return g.Term(g.Op("Concat", [.. parts], NodeAttribute.Of("axis", 0L)));
    }

    private static Value Input(GraphBuilder g, string role, ElementType type, long length) =>
        g.Graph.AddInput(g.Graph.FreshName(role), type, [length]);

    private static Value Output(GraphBuilder g, Value value)
    {
        g.Graph.Rename(value, g.Graph.FreshName(ValueRoles.Updated(ValueRoles.Gradients)));
        g.Graph.AddOutput(value);
        return value;
    }
}
