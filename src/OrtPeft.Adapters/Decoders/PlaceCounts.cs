using System.Runtime.CompilerServices;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Decoders;

/// <summary>
/// Tells places of tokens, and what comes from them, from the other values of a graph, which is not to change meanwhile: each
/// value is asked once.
/// </summary>
/// <param name="shapes">What is known of the graph's numbers.</param>
internal sealed class PlaceCounts(ShapeInference shapes)
{
    private static readonly string[] Lengths = ["Shape", "Size"];

    private static readonly string[] KeepPlaces =
    [
        "Cast", "Identity", "Expand", "Reshape", "Unsqueeze", "Squeeze", "Transpose", "Slice", "Tile", "Clip", "Max",
    ];

    private readonly Dictionary<Value, Origin> _origins = [];
    private readonly Dictionary<Value, SymbolicInteger?> _firsts = [];

    /// <summary>
    /// Whether a value comes from counting. Lengths do not, though they tell how far to count; nor do distances, the
    /// difference of two counts, which stay what they are when all tokens move.
    /// </summary>
    public bool Reach(Value value) => OriginOf(value).IsPlace;

    /// <summary>
    /// The first of places whose neighbours differ by 1; null where something on the way divides, rounds or stretches them,
    /// and where the way is too long to follow.
    /// </summary>
    public SymbolicInteger? First(Value value)
    {
        if (_firsts.TryGetValue(value, out var known) || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
            return known;
        return _firsts[value] = value.Producer switch
        {
            null => Reach(value) ? SymbolicInteger.Of(0) : null,
            { Domain: "" } node => First(node),
            _ => null,
        };
    }

    /// <summary>A whole number that no place is counted into; what is known at run time only has its value's name.</summary>
    public SymbolicInteger? Number(Value value)
    {
        while (value.Producer is { Domain: "", OpType: "Cast" } cast)
            value = cast.Inputs[0]!;
        if (value.Constant is { Count: 1 } constant && constant.Type.IsFloating())
            return constant.ToFloat32()[0] is var number && (long)number == number ? SymbolicInteger.Of((long)number) : null;
        if (shapes.DataOf(value) is [{ } only])
            return only;
        return Reach(value) ? null : SymbolicInteger.Symbol($"'{value.Name}'");
    }

    private SymbolicInteger? First(Node node)
    {
        switch (node.OpType)
        {
            case "CumSum":
                return SymbolicInteger.Of(1 - node.Attributes.Int("exclusive", 0));
            case "Range":
                return Number(node.Inputs[2]!)?.Constant == 1 ? Number(node.Inputs[0]!) : null;
            case "Add" when Number(node.Inputs[0]!) is { } number:
                return SymbolicInteger.Sum(First(node.Inputs[1]!), number);
            case "Add":
                return SymbolicInteger.Sum(First(node.Inputs[0]!), Number(node.Inputs[1]!));
            case "Sub":
                return SymbolicInteger.Difference(First(node.Inputs[0]!), Number(node.Inputs[1]!));
            case "Slice":
                return SymbolicInteger.Sum(First(node.Inputs[0]!), Start(node.Inputs[1]!));
            case "Gather":
                return SymbolicInteger.Sum(First(node.Inputs[0]!), First(node.Inputs[1]!));
            case "GatherND" when node.Inputs[1]!.Producer is { OpType: "Concat" } indices:
                return SymbolicInteger.Sum(First(node.Inputs[0]!), First(indices.Inputs[^1]!));
            case "Concat":
                return node.Inputs.FirstOrDefault(i => Reach(i!)) is { } first ? First(first) : null;
            case "Where":
                return Same(node.Inputs.Skip(1));
            case "Mul" when node.Inputs.All(static i => i!.Constant is null):
                return Same(node.Inputs);
            default:
                return KeepPlaces.Contains(node.OpType) ? First(node.Inputs[0]!) : null;
        }
    }

    private Origin OriginOf(Value value)
    {
        var open = new Stack<Value>([value]);
        while (open.TryPeek(out var next))
        {
            var before = open.Count;
            foreach (var input in Inputs(next).Where(i => !_origins.ContainsKey(i)))
                open.Push(input);
            if (open.Count == before)
                _origins[open.Pop()] = Made(next);
        }

        return _origins[value];
    }

    /// <summary>Sums of what places say number something else, such as the rows that were packed into one.</summary>
    private Origin Made(Value value)
    {
        var inputs = Inputs(value).Select(i => _origins[i]).ToArray();
        var isCounted = value.Producer is { } node
            ? node.Is("Range") || (node.Is("CumSum") && !inputs[0].HasCount)
            : IsCount(value.Constant) || (value.IsGraphInput && value.Name == DecoderNames.Positions);
        var isDistance = value.Producer?.Is("Sub") == true && inputs.All(static i => i.IsPlace);
        return new Origin(
            isCounted || inputs.Any(static i => i.HasCount), isCounted || (!isDistance && inputs.Any(static i => i.IsPlace)));
    }

    private static IEnumerable<Value> Inputs(Value value)
    {
        if (value.Producer is not { } node || Lengths.Contains(node.OpType))
            return [];
        return node.Inputs.Take(node.OpType.StartsWith("Gather", StringComparison.Ordinal) ? 1 : int.MaxValue).OfType<Value>();
    }

    private SymbolicInteger? Start(Value starts) =>
        shapes.DataOf(starts)?.All(static s => s?.Constant == 0) == true ? SymbolicInteger.Of(0) : Number(starts);

    private SymbolicInteger? Same(IEnumerable<Value?> values) =>
        values.Where(v => Reach(v!)).Select(v => First(v!)).Distinct().ToArray() is [var only] ? only : null;

    /// <summary>0, 1, 2, …, of which exporters cut a piece.</summary>
    private static bool IsCount(Tensor? tensor) =>
        tensor is { Count: > 4, Type: ElementType.Int64 or ElementType.Int32 }
        && tensor.ToInt64().Index().All(static e => e.Item == e.Index);

    /// <summary>The counts on the way to a value.</summary>
    /// <param name="HasCount">A count is on its way, before lengths.</param>
    /// <param name="IsPlace">One is, and no distance behind it.</param>
    private readonly record struct Origin(bool HasCount, bool IsPlace);
}
