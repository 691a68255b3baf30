using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;

namespace OrtPeft.Onnx.Passes;

/// <summary>
/// Asks a graph's inputs for the lengths that are asked of values in between: a <c>Shape</c> node whose lengths can be
/// computed from those of inputs no longer reads the value, which then may be computed in another way, or not at all, or
/// need not be kept until it is asked.
/// </summary>
internal static class InputLengths
{
    /// <summary>Runs the pass in place; subgraphs stay as they are.</summary>
    /// <param name="g">The graph's builder, which knows its shapes.</param>
    public static void Run(GraphBuilder g)
    {
        ArgumentNullException.ThrowIfNull(g);
        var graph = g.Graph;
        var sources = SourcesOf(graph);
        var first = graph.Nodes is [var start, ..] ? start : null;
        var lengths = new Dictionary<SymbolicInteger, Value>();
        var shapes = new Dictionary<Value, Value>();
        foreach (var node in graph.Nodes.Where(static n => n.Is("Shape") && n.Inputs[0]!.Producer is not null).ToArray())
        {
            if (AxesOf(node) is not { } axes || !axes.All(IsHad))
                continue;
            (g.Before, g.Scope) = (first, "/lengths");
            Value[] parts = [.. axes.Select(d => d.Value is { } length ? g.Int64(length) : Length(d.Expression!))];
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

        bool IsHad(Dim length) => length.Expression is { } asked
            && (sources.ContainsKey(asked) || asked.Terms.All(t => t.Symbols.All(sources.ContainsKey)));

        Value Length(SymbolicInteger asked)
        {
            if (!lengths.TryGetValue(asked, out var length))
            {
                length = sources.TryGetValue(asked, out var source) ? LengthOf(source.Input, source.Axis) : Sum(asked);
                lengths.Add(asked, length);
            }

            return length;
        }

        Value Sum(SymbolicInteger asked) => asked.Terms.Select(Product).Aggregate((a, b) => g.Add(a, b));

        Value Product((long Coefficient, IReadOnlyList<SymbolicInteger> Symbols) term)
        {
            var factors = term.Symbols.Select(Length);
            return (term.Coefficient == 1 && term.Symbols.Count > 0 ? factors : factors.Prepend(g.Int64(term.Coefficient)))
                .Aggregate((a, b) => g.Mul(a, b));
        }

        Value LengthOf(Value input, int axis)
        {
            if (!shapes.TryGetValue(input, out var shape))
                shapes.Add(input, shape = g.Shape(input));
            return g.Op("Slice", shape, g.Int64(axis), g.Int64(axis + 1), g.Int64(0));
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

    /// <summary>The first axis of an input for each length that is not a constant.</summary>
    private static Dictionary<SymbolicInteger, (Value Input, int Axis)> SourcesOf(Graph graph)
    {
        var sources = new Dictionary<SymbolicInteger, (Value Input, int Axis)>();
        foreach (var input in graph.Inputs.Where(static i => i is { Shape: not null, Initializer: null }))
        {
            foreach (var (axis, length) in input.Shape!.Index())
            {
                if (length is { Value: null, Expression: { } expression })
                    sources.TryAdd(expression, (input, axis));
            }
        }

        return sources;
    }
}
