using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Adapters.Modules;

/// <summary>A constant matrix with some rows replaced: <c>ScatterND(matrix, places, rows)</c>.</summary>
/// <param name="Places">The rows' numbers, [n, 1] int64, a constant.</param>
/// <param name="Rows">What stands there, [n, features].</param>
internal sealed record ReplacedRows(Value Places, Value Rows)
{
    private const string Operator = "ScatterND";

    /// <summary>Makes the matrix.</summary>
    public static Value Make(GraphBuilder g, Value matrix, Value places, Value rows) =>
        g.Op(Operator, matrix, places, rows);

    /// <summary>Recognises one; null for any other value.</summary>
    public static ReplacedRows? Find(Value value)
    {
        var isOne = value.Producer is { } node && node.Is(Operator)
            && node.Attributes.String("reduction", "none") == "none"
            && node.Inputs[0]!.Constant is { Dims.Length: 2 } && node.Inputs[1]!.Constant is { Dims: [_, 1] };
        return isOne ? new ReplacedRows(value.Producer!.Inputs[1]!, value.Producer.Inputs[2]!) : null;
    }
}
