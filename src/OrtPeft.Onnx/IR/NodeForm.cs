namespace OrtPeft.Onnx;

/// <summary>
/// Runs what is written for an operator's documented form on a node of a file: ranks, counts and types of a damaged
/// graph leave it in ways that no rule lists.
/// </summary>
public static class NodeForm
{
    /// <summary>Runs a rule on a node.</summary>
    /// <param name="node">The node.</param>
    /// <param name="opset">The version of the standard operator set, for the message.</param>
    /// <param name="rule">What is written for its operator.</param>
    /// <exception cref="GraphException">The node has another form than its operator; the message names it and its
    /// inputs.</exception>
    public static void Expect(Node node, int opset, Action rule)
    {
        ArgumentNullException.ThrowIfNull(node);
        ArgumentNullException.ThrowIfNull(rule);
        try
        {
            rule();
        }
        catch (Exception e) when (e is IndexOutOfRangeException or ArgumentOutOfRangeException or OverflowException
            or InvalidOperationException or NullReferenceException or KeyNotFoundException or DivideByZeroException)
        {
            var inputs = string.Join("; ", node.Inputs.Select(static i => i?.ToString() ?? "none"));
            throw new GraphException(
                $"{node} (opset {opset}) is not of the form that {node.OpType} has; inputs: {inputs}; export it again.", e);
        }
    }
}
