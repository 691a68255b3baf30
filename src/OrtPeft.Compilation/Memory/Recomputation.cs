using OrtPeft.Kernels;
using OrtPeft.Kernels.Operators;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Memory;

/// <summary>
/// Computes values of the forward pass again where the gradient reads them, rather than keeping them until then (Chen et
/// al., "Training Deep Nets with Sublinear Memory Cost", 2016). The second run waits for the gradient that it is needed
/// with, and results keep their bits.
/// </summary>
internal sealed class Recomputation
{
    private readonly GraphBuilder _g;
    private readonly GradientPart _part;
    private readonly HashSet<Value> _values;
    private readonly Dictionary<Value, Value> _again = [];
    private readonly Dictionary<(Value Value, Value Trigger), Value> _waiting = [];

    private readonly Dictionary<Value, Value> _latest = [];
    private readonly Dictionary<Node, int> _places;

    private Recomputation(GraphBuilder g, GradientPart part, HashSet<Value> values)
    {
        (_g, _part, _values) = (g, part, values);
        _places = part.Nodes.Index().ToDictionary(static n => n.Item, static n => n.Index);
    }

    /// <summary>Runs again what only passes over memory: norms, activations, gates, copies.</summary>
    public static void OfPasses(GraphBuilder g) => Run(g, static _ => Cost.Pass);

    /// <summary>Runs again what costs no more than is said for a place in the forward pass, from 0 to 1.</summary>
    public static void Run(GraphBuilder g, Func<double, Cost> dearest)
    {
        g.Graph.SortTopologically();
        var part = GradientPart.Of(g.Graph);
        var values = SecondRuns.Of(part, dearest).Values;
        new Recomputation(g, part, values).Run();
    }

    private void Run()
    {
        foreach (var node in _part.Nodes)
        {
            if (!node.Inputs.Any(IsAgain) || _part.TriggerOf(node) is not { } trigger)
                continue;
            for (var i = 0; i < node.Inputs.Count; i++)
            {
                if (IsAgain(node.Inputs[i]))
                    node.SetInput(i, Again(node.Inputs[i]!, node, trigger));
            }
        }

        foreach (var node in _part.Nodes)
        {
            if (node.Outputs.All(static o => o.Uses.Count == 0))
                RunBeforeOthers(node);
        }

        (_g.Before, _g.Scope) = (null, "");
    }

    private bool IsAgain(Value? value) => value is not null && _values.Contains(value);

    private Value Again(Value value, Node reader, Value trigger)
    {
        if (_again.TryGetValue(value, out var done))
            return done;
        var node = value.Producer!;
        Value?[] inputs = [.. node.Inputs.Select(i => IsAgain(i) ? Again(i!, reader, trigger) : i)];
        if (!node.Inputs.Any(IsAgain))
        {
            var first = Array.FindIndex(
                inputs, static i => i is { Initializer: null, IsGraphInput: false, Type: ElementType.Float });
            inputs[first] = Waiting(inputs[first]!, reader, trigger);
        }

        (_g.Before, _g.Scope) = (reader, $"{node.Name}/again");
        var outputs = _g.Ops(node.OpType, node.Outputs.Count, inputs, [.. node.Attributes], node.Domain);
        foreach (var (output, copy) in node.Outputs.Zip(outputs))
        {
            (copy.Type, copy.Shape) = (output.Type, output.Shape);
            _again[output] = copy;
        }

        return _again[value];
    }

    private Value Waiting(Value value, Node reader, Value trigger)
    {
        if (_waiting.TryGetValue((value, trigger), out var done))
            return done;
        return _waiting[(value, trigger)] = After.Forward.Apply(_g, reader, [value, trigger], value)[0];
    }

    /// <summary>A parameter's gradient is computed before the gradient goes on to earlier layers: what it reads is free
    /// from then on.</summary>
    private void RunBeforeOthers(Node last)
    {
        var source = last.Inputs.LastOrDefault(i => _part.Contains(i) && i!.Producer is not null)?.Producer;
        var result = last.Outputs.FirstOrDefault(static o => o is { IsGraphOutput: true, Type: ElementType.Float });
        if (source is null || result is null)
            return;
        foreach (var sibling in source.Outputs.ToArray())
        {
            var value = _latest.GetValueOrDefault(sibling, sibling);
            var later = value.Uses.Select(static u => u.Node)
                .Where(n => n.Outputs.Any(static o => o.Uses.Count > 0) && PlaceOf(n) > PlaceOf(last)).ToHashSet();
            if (later.Count == 0 || value is not { Type: ElementType.Float, Shape.Rank: > 0 })
                continue;
            var waiting = After.Forward.Apply(_g, later.MinBy(PlaceOf)!, [value, result], value)[0];
            _latest[sibling] = waiting;
            foreach (var (node, index) in value.Uses.Where(u => later.Contains(u.Node)).ToArray())
                node.SetInput(index, waiting);
        }
    }

    /// <summary>Nodes that this adds stay where they are.</summary>
    private int PlaceOf(Node node) => _places.GetValueOrDefault(node, -1);
}
