using OrtPeft.Kernels;
using OrtPeft.Kernels.Operators;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Memory;

/// <summary>
/// Keeps in bfloat16 what the forward pass makes and the gradient reads later: half of its memory. A value is rounded as
/// soon as it is there, and widened again when the gradient is there that first needs it. What its readers say of their
/// operands decides (<see cref="RoundableReads"/>).
/// </summary>
internal sealed class NarrowedKept
{
    /// <summary>Values that are smaller than the largest by this factor are not worth a node.</summary>
    private const int SmallestShare = 16;

    private readonly GraphBuilder _g;
    private readonly GradientPart _part;
    private readonly Dictionary<Node, int> _places;

    private NarrowedKept(GraphBuilder g)
    {
        _g = g;
        _part = GradientPart.Of(g.Graph);
        _places = g.Graph.Nodes.Index().ToDictionary(static n => n.Item, static n => n.Index);
    }

    /// <summary>Rewrites a training graph, after what is computed again has been chosen.</summary>
    public static void Run(GraphBuilder g)
    {
        g.Graph.SortTopologically();
        var kept = new NarrowedKept(g);
        foreach (var value in kept.Chosen())
            kept.Narrow(value);
        (g.Before, g.Scope) = (null, "");
    }

    /// <summary>The values that are kept in bfloat16, in no graph yet.</summary>
    private List<KeptValue> Chosen()
    {
        var reads = new RoundableReads(_part);
        KeptValue[] kept =
        [
            .. _part.Forward.SelectMany(static n => n.Outputs).Where(IsCandidate)
                .Select(v => KeptValue.Of(v, _part, _places)).OfType<KeptValue>(),
        ];
        var largest = kept.Select(static k => k.Size).DefaultIfEmpty(0).Max();
        return
        [
            .. kept.Where(k => k.Size * SmallestShare >= largest && k.IsKeptLong
                && k.OfGradient.All(reads.AreRoundable) && TriggerOf(k.OfGradient[0].Node) is not null),
        ];
    }

    private static bool IsCandidate(Value value) =>
        value is { Type: ElementType.Float, IsGraphOutput: false, Shape.Rank: >= 2 }
        && !Costs.IsView(value);

    /// <summary>The gradient that a node is run with, or waits for.</summary>
    private Value? TriggerOf(Node node) => After.Forward.Is(node) ? node.Inputs[1] : _part.TriggerOf(node);

    private void Narrow(KeptValue kept)
    {
        var value = kept.Value;
        var (first, firstOfGradient) = (kept.First, kept.OfGradient[0].Node);
        var trigger = TriggerOf(firstOfGradient)!;
        Use[] uses = [.. value.Uses];
        var copies = Narrowed.Narrow.Apply(_g, first, [value], value, value);
        var wide = Narrowed.Widen.Apply(_g, firstOfGradient, [copies[1], trigger], value)[0];
        var views = new Dictionary<Value, Value> { [value] = wide };
        foreach (var (node, index) in kept.OfGradient)
            node.SetInput(index, ViewOf(node.Inputs[index]!, views, firstOfGradient));
        foreach (var (node, index) in uses.Where(u => !_part.Contains(u.Node.Outputs[0])))
            node.SetInput(index, copies[0]);
    }

    /// <summary>The view of the widened value that a view of the value itself stands for.</summary>
    private Value ViewOf(Value view, Dictionary<Value, Value> views, Node before)
    {
        if (views.TryGetValue(view, out var known))
            return known;
        var node = view.Producer!;
        Value?[] inputs = [ViewOf(node.Inputs[0]!, views, before), .. node.Inputs.Skip(1)];
        (_g.Before, _g.Scope) = (before, $"{node.Name}/wide");
        var copy = _g.Ops(node.OpType, 1, inputs, [.. node.Attributes], node.Domain)[0];
        (copy.Type, copy.Shape) = (view.Type, view.Shape);
        return views[view] = copy;
    }
}
