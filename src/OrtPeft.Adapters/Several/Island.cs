using OrtPeft.Onnx;

namespace OrtPeft.Adapters.Several;

/// <summary>
/// An adapter's nodes beside a graph that does not read them: what they change (y → y′) they read from stand-ins,
/// inputs of the graph for the time being. So are the adapter's own tensors, or its products would be seen as layers.
/// </summary>
internal sealed class Island
{
    private readonly List<(Value Y, Value StandIn, Value Changed)> _changes = [];
    private readonly List<(Value Tensor, Value StandIn)> _tensors = [];

    private Island()
    {
    }

    /// <summary>Restores the graph as it was before an adapter was put on it, and keeps the adapter's nodes.</summary>
    /// <param name="graph">The graph; edited in place.</param>
    /// <param name="before">The graph before.</param>
    /// <param name="own">The adapter's tensors.</param>
    public static Island TakeOff(Graph graph, GraphSnapshot before, IEnumerable<AdapterParameter> own)
    {
        var island = new Island();
        foreach (var (y, changed) in before.Replaced(graph))
        {
            var standIn = StandInFor(graph, y);
            foreach (var use in y.Uses.Where(u => !before.Has(u.Node)).ToArray())
                use.Node.SetInput(use.Index, standIn);
            Exchange(graph, changed, y, "_adapted");
            island._changes.Add((y, standIn, changed));
        }

        foreach (var tensor in own.Select(static p => p.Value))
        {
            var standIn = StandInFor(graph, tensor);
            graph.ReplaceAllUsesWith(tensor, standIn);
            island._tensors.Add((tensor, standIn));
        }

        return island;
    }

    /// <summary>Puts islands on, the later ones after the earlier ones: y → y₁ → y₂.</summary>
    public static void PutOn(Graph graph, IReadOnlyList<Island> islands)
    {
        foreach (var (tensor, standIn) in islands.SelectMany(static i => i._tensors))
            Settle(graph, standIn, tensor);
        foreach (var layer in islands.SelectMany(static i => i._changes).GroupBy(static c => c.Y).ToList())
        {
            Exchange(graph, layer.Key, layer.Last().Changed, "_base");
            var y = layer.Key;
            foreach (var (_, standIn, changed) in layer)
            {
                Settle(graph, standIn, y);
                y = changed;
            }
        }

        graph.SortTopologically();
    }

    private static Value StandInFor(Graph graph, Value value) =>
        graph.AddInput(graph.FreshName($"{value.Name}/stand-in"), value.Type, value.Shape);

    private static void Settle(Graph graph, Value standIn, Value value)
    {
        graph.ReplaceAllUsesWith(standIn, value);
        graph.Remove(standIn);
    }

    /// <summary>Makes the readers of one value read another; a result of the graph keeps its name.</summary>
    private static void Exchange(Graph graph, Value value, Value other, string suffix)
    {
        var (name, isResult) = (value.Name, value.IsGraphOutput);
        graph.ReplaceAllUsesWith(value, other);
        if (!isResult)
            return;
        graph.Rename(value, graph.FreshName(name + suffix));
        graph.Rename(other, name);
    }
}
