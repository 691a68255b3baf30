namespace OrtPeft.Onnx;

/// <summary>Kahn's algorithm, stable: among the nodes that are ready, the one that stood first comes first.</summary>
internal static class TopologicalOrder
{
    public static List<Node> Of(Graph graph)
    {
        var place = new Dictionary<Node, int>(graph.Nodes.Count);
        foreach (var (index, node) in graph.Nodes.Index())
            place.Add(node, index);
        var readers = new List<Node>[place.Count];
        var missing = new int[place.Count];
        foreach (var node in graph.Nodes)
        {
            foreach (var producer in ProducersOf(node, place))
            {
                (readers[place[producer]] ??= []).Add(node);
                missing[place[node]]++;
            }
        }

        var ready = new PriorityQueue<Node, int>(
            graph.Nodes.Where(n => missing[place[n]] == 0).Select(n => (n, place[n])));
        var sorted = new List<Node>(place.Count);
        while (ready.TryDequeue(out var node, out var index))
        {
            sorted.Add(node);
            foreach (var reader in readers[index] ?? [])
            {
                if (--missing[place[reader]] == 0)
                    ready.Enqueue(reader, place[reader]);
            }
        }

        if (sorted.Count == place.Count)
            return sorted;
        var stuck = graph.Nodes.First(n => missing[place[n]] > 0);
        throw new GraphException($"Graph '{graph.Name}' has a cycle through {stuck}; an ONNX graph must not.");
    }

    private static HashSet<Node> ProducersOf(Node node, Dictionary<Node, int> place)
    {
        var producers = new HashSet<Node>();
        Collect(node);
        return producers;

        void Collect(Node reader)
        {
            foreach (var input in reader.Inputs)
            {
                if (input?.Producer is { } producer && place.ContainsKey(producer))
                    producers.Add(producer);
            }

            foreach (var inner in reader.Subgraphs.SelectMany(static g => g.Nodes))
                Collect(inner);
        }
    }
}
