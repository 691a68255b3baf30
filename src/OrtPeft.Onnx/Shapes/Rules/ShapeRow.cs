namespace OrtPeft.Onnx.Shapes.Rules;

/// <summary>How one operator's outputs follow from its inputs.</summary>
/// <param name="Op">The operator.</param>
/// <param name="MinInputs">Inputs that must be there.</param>
/// <param name="MaxInputs">Inputs that may be there.</param>
/// <param name="Apply">Sets types, axes and small integer contents of the outputs.</param>
/// <param name="Domain">The operator's domain; empty for the standard.</param>
internal sealed record ShapeRow(
    string Op, int MinInputs, int MaxInputs, Action<ShapeContext> Apply, string Domain = "")
{
    public const int AnyNumber = int.MaxValue;

    /// <summary>One row for each of several operators that share a rule.</summary>
    public static IEnumerable<ShapeRow> Each(
        int min, int max, Action<ShapeContext> apply, params IEnumerable<string> ops) =>
        ops.Select(op => new ShapeRow(op, min, max, apply));
}
