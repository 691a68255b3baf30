using OrtPeft.Onnx;
using OrtPeft.Onnx.Shapes;

namespace OrtPeft.Kernels;

/// <summary>Values that hold the same rows under another shape.</summary>
public static class SameRows
{
    /// <summary>The value that another is made of by <c>Reshape</c> alone, as long as its last axis stays the
    /// same.</summary>
    public static Value Source(Value value)
    {
        ArgumentNullException.ThrowIfNull(value);
        while (value is { Producer: { } reshape } && reshape.Is("Reshape")
            && reshape.Inputs[0] is { } source && Length(source) is { } length && length == Length(value))
            value = source;
        return value;
    }

    /// <summary>A value's only reader, shapes aside, if it is of an operator; reshaping must be all that is between.
    /// </summary>
    public static Node? Reader(Value value, string op)
    {
        ArgumentNullException.ThrowIfNull(value);
        while (value is { IsGraphOutput: false, Uses.Count: > 0 } && Readers(value) is [var node])
        {
            if (node.Is(op))
                return node;
            if (!node.Is("Reshape") || Length(node.Output) != Length(value))
                return null;
            value = node.Output;
        }

        return null;
    }

    /// <summary>A value's readers but those that ask for its shape.</summary>
    public static Node[] Readers(Value value) =>
        [.. value.Uses.Select(static u => u.Node).Distinct().Where(static n => !n.Is("Shape"))];

    /// <summary>Whether two values surely have one shape.</summary>
    public static bool AreOfOneShape(Shape? one, Shape? other) =>
        one is not null && other is not null && one.SurelyEquals(other);

    private static long? Length(Value value) =>
        value.Shape is { Rank: > 0 } shape ? shape[shape.Rank - 1].Value : null;
}
