using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Modules;

/// <summary>
/// Finds biases and normalisation weights. Vectors only: a causal mask kept as <c>attn.bias</c> has four axes and is no
/// parameter.
/// </summary>
internal static class VectorCatalogue
{
    private static readonly string[] Kinds = ["weight", "bias"];

    /// <summary>Lists the vectors of all modules in the order of the graph's initializers.</summary>
    /// <param name="graph">The graph, in canonical form.</param>
    /// <returns>The vectors.</returns>
    public static IReadOnlyList<VectorParameter> Vectors(Graph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        return [.. graph.Initializers.Where(IsVector).Select(Parameter).OfType<VectorParameter>()];
    }

    /// <summary>Lists the vectors of normalisations: modules that are not linear layers.</summary>
    /// <param name="graph">The graph, in canonical form.</param>
    /// <returns>The vectors.</returns>
    public static IReadOnlyList<VectorParameter> NormVectors(Graph graph)
    {
        var linear = ModuleCatalogue.LinearModules(graph);
        var names = linear.Select(static m => m.Name).ToHashSet(StringComparer.Ordinal);
        var biases = linear.Select(static m => m.Bias).OfType<Value>().ToHashSet();
        return [.. Vectors(graph).Where(v => !names.Contains(v.Module) && !biases.Contains(v.Value))];
    }

    private static bool IsVector(Value value) =>
        value.Type.IsFloating() && value.Uses.Count > 0 && value.Initializer is { Dims.Length: 1 };

    private static VectorParameter? Parameter(Value value)
    {
        var isPlusOne = value.Name.EndsWith(FoldedNorms.Ending, StringComparison.Ordinal);
        var name = ParameterNames.Canonical(isPlusOne ? value.Name[..^FoldedNorms.Ending.Length] : value.Name);
        var dot = name.LastIndexOf('.');
        return dot > 0 && Kinds.Contains(name[(dot + 1)..])
            ? new VectorParameter(name[..dot], name[(dot + 1)..], value) { IsPlusOne = isPlusOne }
            : null;
    }
}
