namespace OrtPeft.Onnx;

/// <summary>
/// Says of a node what is found wrong with the nodes that take its place or compute its gradient: the file has only
/// itself.
/// </summary>
internal static class NodeBlame
{
    /// <summary>Runs what is written for an operator on a node.</summary>
    /// <param name="node">The node.</param>
    /// <param name="opset">The version of the standard operator set, for the message.</param>
    /// <param name="run">Adds nodes for it.</param>
    /// <exception cref="GraphException">An added node contradicts its operator's definition; the message names the
    /// node that it was added for.</exception>
    /// <exception cref="UnsupportedOpException">The node cannot be worked with; the message names it.</exception>
    public static void On(Node node, int opset, Action run)
    {
        ArgumentNullException.ThrowIfNull(node);
        ArgumentNullException.ThrowIfNull(run);
        var subject = $"{node}";
        try
        {
            run();
        }
        catch (GraphException e) when (!IsOf(e))
        {
            throw new GraphException($"{subject} (opset {opset}): {e.Message}", e);
        }
        catch (UnsupportedOpException e) when (!IsOf(e))
        {
            throw new UnsupportedOpException($"{subject} (opset {opset}): {e.Message}", e);
        }

        bool IsOf(Exception e) => e.Message.StartsWith(subject, StringComparison.Ordinal);
    }
}
