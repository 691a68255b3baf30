using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Kernels.Operators;

/// <summary>The forms that normalisations of standard operators have.</summary>
public static class NormForm
{
    /// <summary>Whether an operator works on the last of its input's axes.</summary>
    /// <param name="node">A node with an attribute <c>axis</c> that is −1 where it is missing.</param>
    /// <returns>Whether it does; false where the input's number of axes is not known.</returns>
    public static bool IsOfLastAxis(Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return node.Inputs[0]!.Shape is { Rank: > 0 } shape
            && node.Attributes.Int("axis", -1) is var axis && (axis == -1 || axis == shape.Rank - 1);
    }

    /// <summary>Whether x is floating-point and has rows of a known length, and all others are vectors of that length.
    /// </summary>
    internal static bool AreVectors(Value x, params ReadOnlySpan<Value?> vectors)
    {
        if (!x.Type.IsFloating() || x.Shape is not { Rank: > 0 } shape
            || shape[shape.Rank - 1].Value is not { } columns)
            return false;
        foreach (var vector in vectors)
        {
            if (vector?.Type != x.Type || vector.Shape is not { Rank: 1 } length || length[0].Value != columns)
                return false;
        }

        return true;
    }

    /// <summary>ε as standard operators have it.</summary>
    internal static NodeAttribute Epsilon(Value epsilon) =>
        NodeAttribute.Of("epsilon", epsilon.Constant!.ToFloat32()[0]);
}
