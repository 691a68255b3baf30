using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Modules;

/// <summary>
/// Exporters and optimisers store biases and normalisations of equal value once, which would train them as one. Each
/// layer gets a tensor of its own back, named after the layer; the bytes stay shared until one is set.
/// </summary>
internal static class SharedVectors
{
    /// <summary>Runs on a graph in canonical form, in place.</summary>
    public static void Separate(Graph graph)
    {
        var shared = graph.Initializers.Where(IsShared).ToArray();
        if (shared.Length == 0)
            return;
        var owners = new VectorOwners(graph);
        foreach (var vector in shared)
            Separate(graph, vector, owners);
    }

    private static bool IsShared(Value value) =>
        value.Uses.Count > 1 && value.Type.IsFloating() && value.Constant is { Dims.Length: 1, Count: > 1 };

    /// <summary>The owner of the vector's present name keeps it, and so do readers of no known kind.</summary>
    private static void Separate(Graph graph, Value vector, VectorOwners owners)
    {
        var groups = vector.Uses.Select(use => (Use: use, Found: owners.Of(use)))
            .Where(static u => u.Found is not null)
            .GroupBy(static u => u.Found!.Value.Owner)
            .ToArray();
        if (groups.Length < 2)
            return;
        foreach (var group in groups.Where(g => g.First().Found!.Value.Name != vector.Name))
        {
            var name = graph.FreshName(group.First().Found!.Value.Name);
            var own = graph.AddInitializer(name, vector.Initializer!.WithName(name));
            foreach (var (use, _) in group)
                use.Node.SetInput(use.Index, own);
        }

        if (vector.Uses.Count == 0 && !vector.IsGraphOutput)
            graph.Remove(vector);
    }
}
