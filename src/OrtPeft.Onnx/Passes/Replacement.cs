using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Passes;

/// <summary>Puts new values in a node's place.</summary>
internal static class Replacement
{
    /// <summary>
    /// Makes every reader of the node's outputs read other values, and removes the node. The values take over the
    /// outputs' names, types and shapes, so that results of the graph keep their names.
    /// </summary>
    /// <param name="g">The builder of the node's graph.</param>
    /// <param name="node">The node that goes.</param>
    /// <param name="results">One value per output; null, or none, for outputs that nobody reads.</param>
    /// <exception cref="UnsupportedOpException">An output is read that has no replacement.</exception>
    public static void Put(GraphBuilder g, Node node, params IReadOnlyList<Value?> results)
    {
        foreach (var (index, output) in node.Outputs.Index())
        {
            if (output.Name.Length == 0 || (output.Uses.Count == 0 && !output.IsGraphOutput))
                continue;
            var result = index < results.Count ? results[index] : null;
            Replace(g, output, result ?? throw new UnsupportedOpException(
                $"{node}: its output {index}, '{output.Name}', is read, and OrtPeft cannot compute it; export the " +
                $"model without it."));
        }

        g.Graph.Remove(node);
    }

    /// <summary>Makes every reader of one value read another, which takes over name, type and shape.</summary>
    /// <param name="g">The builder of the value's graph.</param>
    /// <param name="old">The value that is read now.</param>
    /// <param name="result">What takes its place.</param>
    public static void Replace(GraphBuilder g, Value old, Value result)
    {
        if (old.IsGraphOutput && (result.Producer is null || result.IsGraphOutput))
            result = g.Op("Identity", result);
        var name = old.Name;
        var isFresh = result.Producer is not null && !result.IsGraphOutput;
        if (result.Type == ElementType.Undefined)
            result.Type = old.Type;
        result.Shape ??= old.Shape;
        g.Graph.Rename(old, g.Graph.FreshName(name + "/replaced"));
        g.Graph.ReplaceAllUsesWith(old, result);
        if (isFresh)
            g.Graph.Rename(result, name);
    }
}
