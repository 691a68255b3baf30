using OrtPeft.Kernels;
using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Memory;

/// <summary>How much memory a graph's values take while its nodes run in order, each as long as somebody reads it.
/// </summary>
internal sealed class GraphMemory
{
    private readonly IReadOnlyDictionary<string, long> _lengths;
    private readonly Dictionary<Value, Value> _memory = [];
    private readonly Dictionary<Value, int> _lastReader = [];

    private GraphMemory(IReadOnlyDictionary<string, long> lengths) => _lengths = lengths;

    /// <summary>The most bytes at a time. Inputs, constants and results of the graph are not in it, nor what nodes take
    /// while they run.</summary>
    /// <param name="graph">A graph whose nodes are in order.</param>
    /// <param name="lengths">The lengths of its inputs' axes; values whose length they do not tell count nothing.
    /// </param>
    public static long PeakOf(Graph graph, IReadOnlyDictionary<string, long> lengths)
    {
        var memory = new GraphMemory(lengths);
        foreach (var (index, node) in graph.Nodes.Index())
            memory.Read(node, index);
        return memory.Peak(graph);
    }

    /// <summary>Whether lengths tell enough to speak of a graph's memory: at most one in ten of the values of float32 that
    /// standard operators make has a length that they do not tell. Kernels' own layouts have no shape.</summary>
    public static bool IsTold(Graph graph, IReadOnlyDictionary<string, long> lengths)
    {
        var values = graph.Nodes.Where(static n => n.Domain != FusedOp.Domain)
            .SelectMany(static n => n.Outputs).Where(static v => v.Type == ElementType.Float).ToArray();
        return values.Count(v => LengthOf(v, lengths) is null) * 10 <= values.Length;
    }

    /// <summary>A value's bytes; 0 where a length is not known.</summary>
    public static long BytesOf(Value value, IReadOnlyDictionary<string, long> lengths) =>
        (LengthOf(value, lengths) ?? 0) * value.Type.BitSize() / 8;

    private static long? LengthOf(Value value, IReadOnlyDictionary<string, long> lengths)
    {
        if (value.Shape is not { } shape)
            return null;
        long? length = 1;
        foreach (var dim in shape)
            length *= dim.Expression?.Evaluate(lengths);
        return length;
    }

    /// <summary>Finds out whose memory the node's outputs are, and until when it is read.</summary>
    private void Read(Node node, int index)
    {
        foreach (var input in node.Inputs.OfType<Value>())
            _lastReader[MemoryOf(input)] = index;
        foreach (var output in node.Outputs)
        {
            if (Costs.IsView(output) && node.Inputs[0] is { } source)
                _memory[output] = MemoryOf(source);
            _lastReader[MemoryOf(output)] = index;
        }
    }

    private long Peak(Graph graph)
    {
        var (now, most) = (0L, 0L);
        var held = new Dictionary<Value, long>();
        foreach (var (index, node) in graph.Nodes.Index())
        {
            var freed = node.Inputs.OfType<Value>().Select(MemoryOf).Distinct()
                .Where(v => _lastReader[v] == index && held.ContainsKey(v)).ToList();
            foreach (var output in node.Outputs.Where(o => MemoryOf(o) == o && !o.IsGraphOutput))
            {
                var bytes = BytesOf(output, _lengths);
                if (OverwritesInput(node) && output == node.Output && node.Inputs[0] is { } first
                    && freed.Remove(MemoryOf(first)))
                    now -= held[MemoryOf(first)];
                held[output] = bytes;
                now += bytes;
            }

            most = Math.Max(most, now);
            now -= freed.Sum(v => held[v]);
            var unread = node.Outputs.Where(o => held.ContainsKey(o) && _lastReader[o] == index);
            now -= unread.Sum(o => held[o]);
        }

        return most;
    }

    private static bool OverwritesInput(Node node) =>
        FusedOps.Of(node)?.RunsInPlace ?? ElementwiseOps.Include(node);

    private Value MemoryOf(Value value) => _memory.GetValueOrDefault(value, value);
}
