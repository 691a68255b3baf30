using OrtPeft.Onnx;
using OrtPeft.Onnx.Shapes;

namespace OrtPeft.Adapters.Decoders;

/// <summary>
/// A comparison of a key's place k with a query's q: whatever is added, taken away or reshaped on either side, and whether a
/// key is seen or hidden where it holds, it says where the square of a mask has its bound.
/// </summary>
internal sealed class PlaceComparison
{
    private static readonly string[] SameNumbers = ["Cast", "Identity", "Expand"];
    private static readonly string[] OfDistances = ["Abs", "Clip", "Relu", "Min", "Max", "Mod", "Div", "Floor", "Sign", "Equal"];

    /// <summary>Real comparisons have a handful of steps; sums of a value with itself have twice as many with each.</summary>
    private const int MostSteps = 256;

    private readonly PlaceCounts _places;
    private readonly List<(Value Places, int Sign)> _terms = [];
    private SymbolicInteger _sum = SymbolicInteger.Of(0);
    private int _steps;

    private PlaceComparison(PlaceCounts places) => _places = places;

    /// <summary>The bound that a node gives a mask, or null.</summary>
    /// <exception cref="ConfigException">The node compares the places of queries and keys in another way.</exception>
    public static MaskBound? Bound(Node node, PlaceCounts places)
    {
        var difference = new PlaceComparison(places);
        if (OfDistances.Contains(node.OpType))
        {
            difference.Add(node.Inputs[0]!, 1);
            if (node.Is("Equal"))
                difference.Add(node.Inputs[1]!, -1);
            return difference.IsBetweenSides() ? throw MaskBound.Unknown(node) : null;
        }

        if (node.OpType is not ("Greater" or "GreaterOrEqual" or "Less" or "LessOrEqual"))
            return null;
        var isLess = node.OpType.StartsWith("Less", StringComparison.Ordinal);
        difference.Add(node.Inputs[isLess ? 1 : 0]!, 1);
        difference.Add(node.Inputs[isLess ? 0 : 1]!, -1);
        if (node.OpType.EndsWith("OrEqual", StringComparison.Ordinal))
            difference._sum += SymbolicInteger.Of(1);
        return difference.IsBetweenSides() ? difference.Above0() ?? throw MaskBound.Unknown(node) : null;
    }

    /// <summary>Where the sum of all terms passes 0: ±(column + its first place − row − the first of those) + sum &gt; 0.</summary>
    private MaskBound? Above0()
    {
        if (_terms is not [var first, var second] || first.Sign == second.Sign || IsColumn(first.Places) == IsColumn(second.Places))
            return null;
        var (queries, keys) = IsColumn(first.Places) ? (first, second) : (second, first);
        if (_places.First(queries.Places) is not { } firstQuery || _places.First(keys.Places) is not { } firstKey)
            return null;
        var isPositive = keys.Sign > 0;
        var bound = firstQuery - firstKey - (isPositive ? _sum : SymbolicInteger.Of(1) - _sum);
        return new MaskBound(bound, queries.Places, MaskBound.NumberIn(firstQuery));
    }

    /// <summary>Whether places of one side are set against those of the other, or may be, for all that shapes tell.</summary>
    private bool IsBetweenSides() =>
        _terms.Count > 1 && !_terms.All(static t => IsColumn(t.Places)) && !_terms.All(static t => IsRow(t.Places));

    private void Add(Value value, int sign)
    {
        if (_steps++ > MostSteps)
        {
            _terms.Add((value, sign));
        }
        else if (value.Producer is { Domain: "" } node && (node.Is("Add") || node.Is("Sub")))
        {
            Add(node.Inputs[0]!, sign);
            Add(node.Inputs[1]!, node.Is("Sub") ? -sign : sign);
        }
        else if (value.Producer is { Domain: "" } other && (other.Is("Neg") || SameNumbers.Contains(other.OpType)))
        {
            Add(other.Inputs[0]!, other.Is("Neg") ? -sign : sign);
        }
        else if (_places.Number(value) is { } number)
        {
            _sum += SymbolicInteger.Of(sign) * number;
        }
        else
        {
            _terms.Add((value, sign));
        }
    }

    private static bool IsColumn(Value value) => value.Shape is { Rank: > 1 } shape && shape[shape.Rank - 1].Value == 1;

    private static bool IsRow(Value value) => value.Shape is { } shape && (shape.Rank < 2 || shape[shape.Rank - 1].Value != 1);
}
