using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Decoders;

/// <summary>Tells places of tokens, and what comes from them, from the other values of a graph.</summary>
internal static class PlaceCounts
{
    private static readonly string[] Lengths = ["Shape", "Size"];

    private static readonly string[] KeepPlaces =
    [
        "Cast", "Identity", "Expand", "Reshape", "Unsqueeze", "Squeeze", "Transpose", "Slice", "Tile", "Clip", "Max",
    ];

    /// <summary>
    /// Whether a value comes from counting. Lengths do not, though they tell how far to count; nor do distances, the
    /// difference of two counts, which stay what they are when all tokens move.
    /// </summary>
    public static bool Reach(Value value) => IsFrom(value, IsDistance);

    /// <summary>
    /// The first of places whose neighbours differ by 1; null where something on the way divides, rounds or stretches them.
    /// </summary>
    public static SymbolicInteger? First(Value value, ShapeInference shapes)
    {
        if (value.Producer is not { Domain: "" } node)
            return IsCounted(value) ? SymbolicInteger.Of(0) : null;
        switch (node.OpType)
        {
            case "CumSum":
                return SymbolicInteger.Of(1 - node.Attributes.Int("exclusive", 0));
            case "Range":
                return Number(node.Inputs[2]!, shapes)?.Constant == 1 ? Number(node.Inputs[0]!, shapes) : null;
            case "Add" when Number(node.Inputs[0]!, shapes) is { } number:
                return SymbolicInteger.Sum(First(node.Inputs[1]!, shapes), number);
            case "Add":
                return SymbolicInteger.Sum(First(node.Inputs[0]!, shapes), Number(node.Inputs[1]!, shapes));
            case "Sub":
                return SymbolicInteger.Difference(First(node.Inputs[0]!, shapes), Number(node.Inputs[1]!, shapes));
            case "Slice":
                return SymbolicInteger.Sum(First(node.Inputs[0]!, shapes), Start(node.Inputs[1]!, shapes));
            case "Gather":
                return SymbolicInteger.Sum(First(node.Inputs[0]!, shapes), First(node.Inputs[1]!, shapes));
            case "GatherND" when node.Inputs[1]!.Producer is { OpType: "Concat" } indices:
                return SymbolicInteger.Sum(First(node.Inputs[0]!, shapes), First(indices.Inputs[^1]!, shapes));
            case "Concat":
                return node.Inputs.FirstOrDefault(static i => Reach(i!)) is { } first ? First(first, shapes) : null;
            case "Where":
                return Same(node.Inputs.Skip(1), shapes);
            case "Mul" when node.Inputs.All(static i => i!.Constant is null):
                return Same(node.Inputs, shapes);
            default:
                return KeepPlaces.Contains(node.OpType) ? First(node.Inputs[0]!, shapes) : null;
        }
    }

    /// <summary>A whole number that no place is counted into; what is known at run time only has its value's name.</summary>
    public static SymbolicInteger? Number(Value value, ShapeInference shapes)
    {
        if (value.Producer is { Domain: "", OpType: "Cast" } cast)
            return Number(cast.Inputs[0]!, shapes);
        if (value.Constant is { Count: 1 } constant && constant.Type.IsFloating())
            return constant.ToFloat32()[0] is var number && (long)number == number ? SymbolicInteger.Of((long)number) : null;
        if (shapes.DataOf(value) is [{ } only])
            return only;
        return Reach(value) ? null : SymbolicInteger.Symbol($"'{value.Name}'");
    }

    private static bool IsFrom(Value value, Predicate<Node> isOther)
    {
        var (seen, open) = (new HashSet<Value>(), new Stack<Value>([value]));
        while (open.TryPop(out var next))
        {
            if (!seen.Add(next))
                continue;
            if (IsCounted(next))
                return true;
            if (next.Producer is not { } node || Lengths.Contains(node.OpType) || isOther(node))
                continue;
            foreach (var input in node.OpType.StartsWith("Gather", StringComparison.Ordinal) ? node.Inputs.Take(1) : node.Inputs)
            {
                if (input is not null)
                    open.Push(input);
            }
        }

        return false;
    }

    private static SymbolicInteger? Start(Value starts, ShapeInference shapes) =>
        shapes.DataOf(starts)?.All(static s => s?.Constant == 0) == true ? SymbolicInteger.Of(0) : Number(starts, shapes);

    private static SymbolicInteger? Same(IEnumerable<Value?> values, ShapeInference shapes) =>
        values.Where(static v => Reach(v!)).Select(v => First(v!, shapes)).Distinct().ToArray() is [var only] ? only : null;

    /// <summary>Sums of what places say number something else, such as the rows that were packed into one.</summary>
    private static bool IsCounted(Value value) => value.Producer is { } node
        ? node.Is("Range") || (node.Is("CumSum") && !IsFrom(node.Inputs[0]!, static _ => false))
        : IsCount(value.Constant) || (value.IsGraphInput && value.Name == DecoderNames.Positions);

    private static bool IsDistance(Node node) => node.Is("Sub") && node.Inputs.All(static i => Reach(i!));

    /// <summary>0, 1, 2, …, of which exporters cut a piece.</summary>
    private static bool IsCount(Tensor? tensor) =>
        tensor is { Count: > 4, Type: ElementType.Int64 or ElementType.Int32 }
        && tensor.ToInt64().Index().All(static e => e.Item == e.Index);
}
