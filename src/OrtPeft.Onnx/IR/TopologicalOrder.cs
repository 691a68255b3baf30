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
            foreach (var producer in ProducersOf(node, graph))
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

    /// <summary>The nodes of a graph whose results a node reads, itself or in its subgraphs.</summary>
    public static HashSet<Node> ProducersOf(Node node, Graph graph)
    {
        var producers = new HashSet<Node>();
        Collect(node);
        return producers;

        void Collect(Node reader)
        {
            var subgraphs = reader.Subgraphs.ToArray();
            foreach (var input in reader.Inputs.Concat(subgraphs.SelectMany(static g => g.Outputs)))
            {
                if (input?.Producer is { } producer && producer.Graph == graph)
                    producers.Add(producer);
            }

            foreach (var inner in subgraphs.SelectMany(static g => g.Nodes))
                Collect(inner);
        }
    }
}
