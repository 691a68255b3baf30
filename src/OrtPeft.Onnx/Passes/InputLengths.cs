using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;

namespace OrtPeft.Onnx.Passes;

/// <summary>
/// Asks a graph's inputs for the lengths that exporters ask of values in between: a <c>Shape</c> node whose lengths are
/// constants and lengths of inputs no longer reads the value, which then may be computed in another way, or not at all.
/// </summary>
public static class InputLengths
{
    /// <summary>Runs the pass in place; subgraphs stay as they are.</summary>
    /// <param name="g">The graph's builder, which knows its shapes.</param>
    public static void Run(GraphBuilder g)
    {
        ArgumentNullException.ThrowIfNull(g);
        var graph = g.Graph;
        var lengths = new Dictionary<SymbolicInteger, Value>();
        var shapes = new Dictionary<Value, Value>();
        foreach (var node in graph.Nodes.Where(static n => n.Is("Shape") && n.Inputs[0]!.Producer is not null).ToArray())
        {
            if (AxesOf(node) is not { } axes || axes.Any(d => d.Value is null && SourceOf(graph, d) is null))
                continue;
            (g.Before, g.Scope) = (graph.Nodes[0], "/lengths");
            Value[] parts = [.. axes.Select(d => d.Value is { } length ? g.Int64(length) : Length(d))];
            (g.Before, g.Scope) = (node, node.Name);
            Replacement.Put(g, node, parts switch
            {
                [] => g.Int64(),
                [var only] => only,
                _ => g.Concat(0, parts),
            });
        }

        foreach (var node in graph.Nodes.Where(n => n.Is("Shape") && n.Attributes.Count == 0).ToArray())
        {
            if (shapes.GetValueOrDefault(node.Inputs[0]!) is { } asked && asked != node.Output)
                Replacement.Put(g, node, asked);
        }

        (g.Before, g.Scope) = (null, "");

        Value Length(Dim dim)
        {
            if (!lengths.TryGetValue(dim.Expression!, out var length))
            {
                var (input, axis) = SourceOf(graph, dim)!.Value;
                if (!shapes.TryGetValue(input, out var shape))
                    shapes.Add(input, shape = g.Shape(input));
                length = g.Op("Slice", shape, g.Int64(axis), g.Int64(axis + 1), g.Int64(0));
                lengths.Add(dim.Expression!, length);
            }

            return length;
        }
    }

    /// <summary>The axes that a node gives the lengths of; null where they are not known.</summary>
    private static IReadOnlyList<Dim>? AxesOf(Node node)
    {
        if (node.Inputs[0]!.Shape is not { } shape)
            return null;
        var (first, end) = (Place("start", 0), Place("end", shape.Rank));
        return [.. shape.Take(end).Skip(first)];

        int Place(string attribute, long otherwise)
        {
            var place = node.Attributes.Int(attribute, otherwise);
            return (int)Math.Clamp(place < 0 ? place + shape.Rank : place, 0, shape.Rank);
        }
    }

    /// <summary>An input's axis that surely has a length.</summary>
    private static (Value Input, int Axis)? SourceOf(Graph graph, Dim dim)
    {
        foreach (var input in graph.Inputs.Where(static i => i is { Shape: not null, Initializer: null }))
        {
            foreach (var (axis, length) in input.Shape!.Index())
            {
                if (length.SurelyEquals(dim))
                    return (input, axis);
            }
        }

        return null;
    }
}
