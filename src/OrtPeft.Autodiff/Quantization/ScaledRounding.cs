using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Autodiff.Quantization;

/// <summary>
/// A quantiser written out: Round stands between a scale and its inverse, with clipping, zero points, casts to integers
/// and back, and what moves numbers anywhere between.
/// </summary>
/// <param name="Edges">The inputs that hold scales and zero points.</param>
/// <param name="Values">What the rounded numbers go through until they are scaled back.</param>
internal sealed record ScaledRounding(IReadOnlyList<Use> Edges, IReadOnlyList<Value> Values)
{
    /// <summary>Sums branch: longer chains than any quantiser has are not followed.</summary>
    private const int MostNodes = 10;

    private const int MostValues = 200;

    /// <summary>Recognises a quantiser by its rounding.</summary>
    /// <param name="round">A Round node.</param>
    /// <returns>Null where it is none: the number is not scaled, or not everywhere scaled back.</returns>
    public static ScaledRounding? Find(Node round)
    {
        var values = new List<Value>();
        var ends = new List<Side>();
        if (!Follow(round.Output, Side.Empty, values, ends, MostNodes) || ends.Count == 0)
            return null;
        foreach (var start in Starts(round.Inputs[0]!, Side.Empty, MostNodes))
        {
            if (ends.All(end => start.IsTakenBackBy(end)))
                return new ScaledRounding([.. start.Edges.Concat(ends.SelectMany(static e => e.Edges))], values);
        }

        return null;
    }

    /// <summary>Every way to read what comes before as scaled by something.</summary>
    private static IEnumerable<Side> Starts(Value value, Side side, int nodesLeft)
    {
        if (nodesLeft == 0 || value.Producer is not { Domain: "" } node)
            return [];
        return node.OpType switch
        {
            "Mul" => [side.Scaled(node, 1, inverse: false), side.Scaled(node, 0, inverse: false)],
            "Div" => [side.Scaled(node, 1, inverse: true)],
            "Add" => Starts(node.Inputs[0]!, side.Shifted(node, 1, 1), nodesLeft - 1)
                .Concat(Starts(node.Inputs[1]!, side.Shifted(node, 0, 1), nodesLeft - 1)),
            "Sub" => Starts(node.Inputs[0]!, side.Shifted(node, 1, -1), nodesLeft - 1),
            _ when IsPassedBy(node, 0) => Starts(node.Inputs[0]!, side, nodesLeft - 1),
            _ => [],
        };
    }

    /// <summary>Follows rounded numbers to where they are scaled back; false where something else reads them.</summary>
    private static bool Follow(Value value, Side side, List<Value> values, List<Side> ends, int nodesLeft)
    {
        values.Add(value);
        Use[] uses = [.. value.Uses.Where(static u => !Selection.Is(u.Node, u.Index))];
        if (nodesLeft == 0 || values.Count > MostValues || value.IsGraphOutput || uses.Length == 0)
            return false;
        foreach (var (node, index) in uses)
        {
            switch (node.OpType)
            {
                case "Mul":
                    ends.Add(side.Scaled(node, 1 - index, inverse: false));
                    break;
                case "Div" when index == 0:
                    ends.Add(side.Scaled(node, 1, inverse: true));
                    break;
                case "Add" when Follow(node.Output, side.Shifted(node, 1 - index, 1), values, ends, nodesLeft - 1):
                case "Sub" when index == 0
                    && Follow(node.Output, side.Shifted(node, 1, -1), values, ends, nodesLeft - 1):
                    break;
                case var _ when IsPassedBy(node, index)
                    && node.Outputs.All(o => Follow(o, side, values, ends, nodesLeft - 1)):
                    break;
                default:
                    return false;
            }
        }

        return true;
    }

    /// <summary>Clipping to constants, casts between numbers, and what moves them.</summary>
    private static bool IsPassedBy(Node node, int index) => node.Domain.Length == 0 && node.OpType switch
    {
        "Cast" => node.Output.Type != ElementType.Bool,
        "Clip" => index == 0,
        "Max" or "Min" => node.Inputs.Index().All(i => i.Index == index || i.Item!.Constant is not null),
        "Concat" => false,
        _ => Moves.Is(node),
    };

    /// <summary>The scale and the zero points on one side of the rounding.</summary>
    private sealed record Side(ScaleFactor? Scale, IReadOnlyList<(Value Value, int Sign)> Shifts, IReadOnlyList<Use> Edges)
    {
        public static Side Empty { get; } = new(null, [], []);

        public Side Scaled(Node node, int scale, bool inverse)
        {
            var factor = ScaleFactor.Of(node.Inputs[scale]!);
            return this with { Scale = inverse ? factor.Inverse : factor, Edges = [.. Edges, new Use(node, scale)] };
        }

        public Side Shifted(Node node, int shift, int sign) => this with
        {
            Shifts = node.Inputs[shift]!.Constant is null ? [.. Shifts, (Origin(node.Inputs[shift]!), sign)] : Shifts,
            Edges = [.. Edges, new Use(node, shift)],
        };

        /// <summary>
        /// Whether the scales cancel, and computed zero points too: what is added and never taken away again is no
        /// zero point.
        /// </summary>
        public bool IsTakenBackBy(Side end) =>
            Scale!.Times(end.Scale!) is { IsOne: true }
            && Shifts.Concat(end.Shifts).GroupBy(static s => s.Value).All(static g => g.Sum(static s => s.Sign) == 0);

        /// <summary>A zero point may be cast or reshaped differently on both sides.</summary>
        private static Value Origin(Value value)
        {
            while (value.Producer is { Domain: "" } node && (node.OpType == "Cast" || Moves.Is(node)))
                value = node.Inputs[0]!;
            return value;
        }
    }
}
