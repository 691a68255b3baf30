using System.Collections.Frozen;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Passes;

/// <summary>Says with common operators what some exporters say with rare ones, where it is the same.</summary>
internal static class PlainOps
{
    /// <summary>Rare operators, and what computes their result; null where it is not known before a run.</summary>
    private static readonly FrozenDictionary<string, Func<Node, GraphBuilder, Value?>> Rows =
        new Dictionary<string, Func<Node, GraphBuilder, Value?>>
        {
            ["CastLike"] = CastTo,
            ["SequenceAt"] = Element,
            ["ConcatFromSequence"] = Concatenation,
            ["Conv"] = PointConvolution.Product,
        }.ToFrozenDictionary();

    /// <summary>The operators in the table.</summary>
    public static IEnumerable<string> Operators => Rows.Keys;

    /// <summary>Runs the pass in place; subgraphs stay as they are.</summary>
    /// <param name="model">The model.</param>
    public static void Run(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var nodes = model.Graph.Nodes.Where(static n => n.Domain.Length == 0 && Rows.ContainsKey(n.OpType)).ToArray();
        if (nodes.Length == 0)
            return;
        var g = GraphBuilder.Over(model);
        foreach (var node in nodes)
        {
            (g.Before, g.Scope) = (node, node.Name);
            if (Rows[node.OpType](node, g) is { } result)
                Replacement.Put(g, node, result);
        }

        model.Graph.RemoveDeadCode();
    }

    private static Value? CastTo(Node node, GraphBuilder g) =>
        node.Inputs[1]!.Type is var type and not ElementType.Undefined ? g.Cast(node.Inputs[0]!, type) : null;

    /// <summary>An element, at a known place, of a sequence that is made of parts of a tensor, or of tensors.</summary>
    private static Value? Element(Node node, GraphBuilder g)
    {
        if (node.Inputs[1]?.Constant is not { Count: 1 } place || node.Inputs[0]!.Producer is not { Domain: "" } source)
            return null;
        var index = place.ToInt64()[0];
        if (source.OpType == "SequenceConstruct")
        {
            var at = index < 0 ? index + source.Inputs.Count : index;
            return at >= 0 && at < source.Inputs.Count ? source.Inputs[(int)at] : null;
        }

        return source.OpType == "SplitToSequence" ? Part(source, index, g) : null;
    }

    private static Value? Part(Node split, long index, GraphBuilder g)
    {
        var x = split.Inputs[0]!;
        if (x.Shape is not { } shape)
            return null;
        var axis = split.Attributes.Int("axis", 0);
        axis = axis < 0 ? axis + shape.Rank : axis;
        if (axis < 0 || axis >= shape.Rank || PlaceOf(split, index, shape[(int)axis].Value) is not var (start, end))
            return null;
        var part = g.Op("Slice", x, g.Int64(start), g.Int64(end), g.Int64(axis));
        return split.Input(1) is null && split.Attributes.Int("keepdims", 1) == 0 ? g.Squeeze(part, axis) : part;
    }

    /// <summary>Where a part begins and ends; null where lengths are not known.</summary>
    private static (long Start, long End)? PlaceOf(Node split, long index, long? length)
    {
        if (split.Input(1) is null)
            return Equal(1);
        if (split.Inputs[1]!.Constant is not { } lengths)
            return null;
        var numbers = lengths.ToInt64();
        if (lengths.Dims.Length == 0)
            return numbers[0] > 0 ? Equal(numbers[0]) : null;
        var at = index < 0 ? index + numbers.Length : index;
        if (at < 0 || at >= numbers.Length || (length is { } known && numbers.Sum() != known))
            return null;
        var start = numbers.Take((int)at).Sum();
        return (start, start + numbers[at]);

        (long Start, long End)? Equal(long each)
        {
            if (length is not { } all)
                return null;
            var place = index < 0 ? index + ((all + each - 1) / each) : index;
            return place >= 0 && place * each < all ? (place * each, (place + 1) * each) : null;
        }
    }

    private static Value? Concatenation(Node node, GraphBuilder g)
    {
        if (node.Inputs[0]!.Producer is not { } source || !source.Is("SequenceConstruct"))
            return null;
        var axis = node.Attributes.Int("axis", 0);
        var parts = source.Inputs.OfType<Value>();
        if (node.Attributes.Int("new_axis", 0) != 0)
            parts = parts.Select(p => g.Unsqueeze(p, axis)).ToArray();
        return g.Concat(axis, [.. parts]);
    }
}
