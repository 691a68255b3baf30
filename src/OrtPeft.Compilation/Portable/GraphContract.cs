using System.Collections.Frozen;
using OrtPeft.Artifacts;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Portable;

/// <summary>Reads from a portable graph what goes in and out, and what for.</summary>
public static class GraphContract
{
    private static readonly FrozenDictionary<string, string> LossRoles = new Dictionary<string, string>
    {
        [TrainingGraph.Scale] = ValueRoles.LossScale,
        [DropoutLowering.SeedInput] = ValueRoles.DropoutSeed,
        [TrainingGraph.LossSum] = ValueRoles.LossSum,
        [TrainingGraph.Count] = ValueRoles.LossCount,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Describes a graph of the loss, with or without gradients.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="parameters">What trains; none when left out.</param>
    /// <param name="file">The name of its file; empty when left out.</param>
    /// <returns>Inputs and outputs with their roles.</returns>
    public static ArtifactGraph OfLoss(
        Graph graph, IReadOnlyList<ArtifactParameter>? parameters = null, string file = "")
    {
        ArgumentNullException.ThrowIfNull(graph);
        var gradients = (parameters ?? []).Where(static p => p.Gradient is not null)
            .ToDictionary(static p => p.Gradient!, StringComparer.Ordinal);
        return new ArtifactGraph
        {
            File = file,
            Inputs = InputsOf(graph, parameters),
            Outputs = [.. graph.Outputs.Select(output => gradients.TryGetValue(output.Name, out var parameter)
                ? Described(output, ValueRoles.Gradient, parameter.Name) with { Dims = Fixed(parameter.Dims) }
                : Described(output, LossRoles.GetValueOrDefault(output.Name) ?? ValueRoles.Predictions))],
        };
    }

    /// <summary>Describes what a graph has to be fed with.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="parameters">What trains; none when left out.</param>
    /// <returns>The inputs with their roles.</returns>
    public static IReadOnlyList<ArtifactValue> InputsOf(
        Graph graph, IReadOnlyList<ArtifactParameter>? parameters = null)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var inputs = (parameters ?? []).ToDictionary(static p => p.Input, StringComparer.Ordinal);
        return [.. graph.Inputs.Select(input => inputs.TryGetValue(input.Name, out var parameter)
            ? Described(input, ValueRoles.Parameter, parameter.Name)
            : Described(input, LossRoles.GetValueOrDefault(input.Name) ?? DataRole(input)))];
    }

    /// <summary>Describes a graph whose inputs and outputs are named by their roles, as the optimiser's.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="file">The name of its file; empty when left out.</param>
    /// <returns>Inputs and outputs with their roles.</returns>
    public static ArtifactGraph OfOptimizer(Graph graph, string file = "")
    {
        ArgumentNullException.ThrowIfNull(graph);
        return new ArtifactGraph
        {
            File = file,
            Inputs = [.. graph.Inputs.Select(static v => Described(v, v.Name))],
            Outputs = [.. graph.Outputs.Select(static v => Described(v, v.Name))],
        };
    }

    /// <summary>Describes the graph that makes what is saved.</summary>
    internal static ArtifactGraph OfSaving(Graph graph, string file) => new()
    {
        File = file,
        Inputs = [.. graph.Inputs.Select(static v => Described(v, ValueRoles.Parameter, v.Name))],
        Outputs = [.. graph.Outputs.Select(static v => Described(v, ValueRoles.Saved, v.Name))],
    };

    /// <summary>What an input is for that comes with the data.</summary>
    internal static string DataRole(Value input) =>
        PastRemoval.IsPast(input) ? ValueRoles.EmptyPast : ValueRoles.Data;

    /// <summary>A value with its type and axes.</summary>
    internal static ArtifactValue Described(Value value, string role, string? parameter = null) => new()
    {
        Name = value.Name,
        Role = role,
        Dtype = value.Type == ElementType.Undefined ? null : value.Type,
        Dims = value.Shape is null ? null : [.. value.Shape.Select(Of)],
        Parameter = parameter,
    };

    private static ArtifactDim[] Fixed(IReadOnlyList<long> dims) => [.. dims.Select(ArtifactDim.Of)];

    private static ArtifactDim Of(Dim dim) => dim.Value is { } length
        ? ArtifactDim.Of(length)
        : ArtifactDim.Named(dim.Expression?.ToString());
}
