using System.Collections.Frozen;
using OrtPeft.Onnx;

namespace OrtPeft.Autodiff.Quantization;

/// <summary>
/// The inputs that choose places, lengths or shapes. What they hold never becomes a number of the result, so that they
/// need no gradient even where what trains decides on them, as a router does on experts.
/// </summary>
internal static class Selection
{
    private static readonly FrozenDictionary<string, int[]> Inputs = new Dictionary<string, int[]>
    {
        ["CastLike"] = [1],
        ["Compress"] = [1],
        ["ConstantOfShape"] = [0],
        ["CumSum"] = [1],
        ["Dropout"] = [1, 2],
        ["Expand"] = [1],
        ["EyeLike"] = [0],
        ["Gather"] = [1],
        ["GatherElements"] = [1],
        ["GatherND"] = [1],
        ["OneHot"] = [0, 1],
        ["Pad"] = [1, 3],
        ["RandomNormalLike"] = [0],
        ["RandomUniformLike"] = [0],
        ["Range"] = [0, 1, 2],
        ["ReduceL1"] = [1],
        ["ReduceL2"] = [1],
        ["ReduceLogSum"] = [1],
        ["ReduceLogSumExp"] = [1],
        ["ReduceMax"] = [1],
        ["ReduceMean"] = [1],
        ["ReduceMin"] = [1],
        ["ReduceProd"] = [1],
        ["ReduceSum"] = [1],
        ["ReduceSumSquare"] = [1],
        ["Reshape"] = [1],
        ["ReverseSequence"] = [1],
        ["ScatterElements"] = [1],
        ["ScatterND"] = [1],
        ["Shape"] = [0],
        ["Size"] = [0],
        ["Slice"] = [1, 2, 3, 4],
        ["Split"] = [1],
        ["Squeeze"] = [1],
        ["Tile"] = [1],
        ["TopK"] = [1],
        ["Trilu"] = [1],
        ["Unsqueeze"] = [1],
        ["Where"] = [0],
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Whether a node's input only selects.</summary>
    /// <param name="node">The node.</param>
    /// <param name="index">The input, from 0.</param>
    public static bool Is(Node node, int index) =>
        node.Domain.Length == 0 && Inputs.TryGetValue(node.OpType, out var inputs) && inputs.Contains(index);
}
