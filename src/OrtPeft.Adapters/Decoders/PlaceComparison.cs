using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Decoders;

/// <summary>
/// A comparison of a key's place k with a query's q: whatever is added, taken away or reshaped on either side, and whether a
/// key is seen or hidden where it holds, it says where k − q passes a number.
/// </summary>
internal sealed class PlaceComparison
{
    private static readonly string[] SameNumbers = ["Cast", "Identity", "Expand"];
    private static readonly string[] OtherShapes = ["Reshape", "Unsqueeze", "Squeeze", "Transpose"];

    private readonly List<(Value Places, int Sign)> _terms = [];
    private long _sum;

    private PlaceComparison()
    {
    }

    /// <summary>The window that a comparison makes, or null.</summary>
    public static AttentionWindow? Window(Node node)
    {
        if (node.OpType is not ("Greater" or "GreaterOrEqual" or "Less" or "LessOrEqual"))
            return null;
        var isLess = node.OpType.StartsWith("Less", StringComparison.Ordinal);
        var difference = new PlaceComparison();
        difference.Add(node.Inputs[isLess ? 1 : 0]!, 1);
        difference.Add(node.Inputs[isLess ? 0 : 1]!, -1);
        if (node.OpType.EndsWith("OrEqual", StringComparison.Ordinal))
            difference._sum++;
        return difference.Above0();
    }

    /// <summary>The window of the keys that are seen where k − q + sum &gt; 0, or hidden where q − k + sum &gt; 0.</summary>
    private AttentionWindow? Above0()
    {
        if (_terms is not [var first, var second] || first.Sign == second.Sign || IsColumn(first.Places) == IsColumn(second.Places))
            return null;
        var (queries, sign) = IsColumn(first.Places) ? first : second;
        var size = sign < 0 ? _sum : 1 - _sum;
        return size > 1 ? new AttentionWindow(queries, size, Moved(queries)) : null;
    }

    private void Add(Value value, int sign)
    {
        if (Number(value) is { } number)
        {
            _sum += sign * number;
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
        else
        {
            _terms.Add((value, sign));
            _sum += sign * Moved(value);
        }
    }

    /// <summary>The number that was added to places before they got their shape.</summary>
    private static long Moved(Value value)
    {
        if (value.Producer is not { Domain: "" } node || !OtherShapes.Contains(node.OpType))
            return 0;
        var inner = new PlaceComparison();
        inner.Add(node.Inputs[0]!, 1);
        return inner._terms is [(_, 1)] ? inner._sum : 0;
    }

    private static long? Number(Value value) =>
        value.Constant is { Count: 1 } constant && (constant.Type.IsFloating() || constant.Type is ElementType.Int64 or ElementType.Int32)
        && (constant.Type.IsFloating() ? constant.ToFloat32()[0] : constant.ToInt64()[0]) is var number && (long)number == number
            ? (long)number
            : null;

    private static bool IsColumn(Value value) => value.Shape is { Rank: > 1 } shape && shape[shape.Rank - 1].Value == 1;
}
