using OrtPeft.Artifacts;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Graphs;

/// <summary>Describes what goes in and out of a graph, and what for, from what its builder knows of it.</summary>
internal static class GraphContract
{
    /// <summary>
    /// Describes a graph of the loss, whose outputs are the loss, its count, the gradients and the predictions.
    /// </summary>
    /// <param name="graph">The graph.</param>
    /// <param name="roles">The values that are not data.</param>
    public static ArtifactGraph OfLoss(Graph graph, LossRoles roles)
    {
        var gradients = graph.Outputs.Skip(2).Zip(roles.Gradients, static (output, parameter) =>
            Described(output, ValueRoles.Gradient, parameter.Name) with { Dims = DimsOf(parameter) });
        return new ArtifactGraph
        {
            File = "",
            Inputs = [.. graph.Inputs.Select(input => OfInput(input, roles))],
            Outputs =
            [
                Described(graph.Outputs[0], ValueRoles.LossSum),
                Described(graph.Outputs[1], ValueRoles.LossCount),
                .. gradients,
                .. graph.Outputs.Skip(2 + roles.Gradients.Count)
                    .Select(static output => Described(output, ValueRoles.Predictions)),
            ],
        };
    }

    /// <summary>Describes what a graph has to be fed with that reads data alone.</summary>
    public static IReadOnlyList<ArtifactValue> DataOf(Graph graph) =>
        [.. graph.Inputs.Select(static input => Described(input, DataRole(input)))];

    /// <summary>Describes a graph whose inputs and outputs are named by their roles, as the optimiser's.</summary>
    public static ArtifactGraph OfOptimizer(Graph graph) => new()
    {
        File = "",
        Inputs = [.. graph.Inputs.Select(static v => Described(v, v.Name))],
        Outputs = [.. graph.Outputs.Select(static v => Described(v, v.Name))],
    };

    /// <summary>Describes the graph that makes what is saved.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="ending">The ending that names of some inputs have behind their parameters'.</param>
    public static ArtifactGraph OfSaving(Graph graph, string ending) => new()
    {
        File = "",
        Inputs = [.. graph.Inputs.Select(v => Described(v, ValueRoles.Parameter, WithoutEnding(v.Name, ending)))],
        Outputs = [.. graph.Outputs.Select(static v => Described(v, ValueRoles.Saved, v.Name))],
    };

    private static string WithoutEnding(string name, string ending) =>
        name.EndsWith(ending, StringComparison.Ordinal) ? name[..^ending.Length] : name;

    /// <summary>The role of an input that comes with the data.</summary>
    public static string DataRole(Value input) => CacheInputs.IsPast(input) ? ValueRoles.EmptyPast : ValueRoles.Data;

    /// <summary>A value with its type and axes.</summary>
    public static ArtifactValue Described(Value value, string role, string? parameter = null) => new()
    {
        Name = value.Name,
        Role = role,
        Dtype = value.Type == ElementType.Undefined ? null : value.Type,
        Dims = DimsOf(value),
        Parameter = parameter,
    };

    private static ArtifactValue OfInput(Value input, LossRoles roles) =>
        input == roles.Scale ? Described(input, ValueRoles.LossScale)
        : input == roles.DropoutSeed ? Described(input, ValueRoles.DropoutSeed)
        : roles.Parameters.Contains(input) ? Described(input, ValueRoles.Parameter, input.Name)
        : Described(input, DataRole(input));

    private static ArtifactDim[]? DimsOf(Value value) => value.Shape is null ? null : [.. value.Shape.Select(Of)];

    private static ArtifactDim Of(Dim dim) => dim.Value is { } length
        ? ArtifactDim.Of(length)
        : ArtifactDim.Named(dim.Expression?.ToString());
}
