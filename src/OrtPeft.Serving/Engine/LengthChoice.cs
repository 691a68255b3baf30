using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;

namespace OrtPeft.Serving.Engine;

/// <summary>
/// Finds what a graph computes from the longest row of a batch, such as the angles of rotary embeddings that change beyond a
/// length (longrope, dynamic scaling): a long row would then change the others' answers.
/// </summary>
internal static class LengthChoice
{
    private static readonly string[] Through =
    [
        "Cast", "Unsqueeze", "Squeeze", "Reshape", "Add", "Sub", "Mul", "CumSum", "Identity", "Where", "Slice", "Expand",
        "Shape", "Gather", "Range", "Concat",
    ];

    /// <summary>Whether a graph has such a part, or branches that data choose.</summary>
    public static bool IsIn(Graph graph)
    {
        if (graph.Nodes.Any(static n => n.Is("If")))
            return true;
        string[] names = [DecoderNames.Ids, DecoderNames.Mask, DecoderNames.Positions];
        var open = new Queue<Value>(graph.Inputs.Where(i => names.Contains(i.Name)));
        var seen = new HashSet<Value>(open);
        while (open.TryDequeue(out var value))
        {
            foreach (var (node, index) in value.Uses.Select(static u => (u.Node, u.Index)))
            {
                if (node.Is("ReduceMax"))
                    return true;
                // Tokens choose rows of an embedding; only places and lengths are followed.
                if (!Through.Contains(node.OpType) || (node.Is("Gather") && index != 0))
                    continue;
                foreach (var output in node.Outputs.Where(seen.Add))
                    open.Enqueue(output);
            }
        }

        return false;
    }
}
