using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Autodiff.Quantization;

/// <summary>Operators that put the numbers of their first input elsewhere and leave them as they are.</summary>
internal static class Moves
{
    private static readonly HashSet<string> Operators =
    [
        "Concat", "Expand", "Flatten", "Gather", "GatherElements", "GatherND", "Identity", "Reshape", "Slice", "Split",
        "Squeeze", "Transpose", "Unsqueeze",
    ];

    /// <summary>Whether a node only moves numbers, or casts them from one floating-point type to another.</summary>
    /// <param name="node">The node.</param>
    public static bool Is(Node node) => node.Domain.Length == 0
        && (Operators.Contains(node.OpType)
            || (node.OpType == "Cast" && node.Inputs[0]!.Type.IsFloating() && node.Output.Type.IsFloating()));
}
