namespace OrtPeft.Onnx.Shapes;

/// <summary>Index vectors that surely name no place twice.</summary>
internal static class DistinctIndices
{
    /// <summary>
    /// Whether a value is such a vector: the places of a mask, as <c>NonZero</c> of a vector gives them.
    /// </summary>
    /// <param name="indices">What a <c>Gather</c> picks by, for example.</param>
    /// <returns>True when no place can occur twice; false when that is not known.</returns>
    public static bool Are(Value indices)
    {
        ArgumentNullException.ThrowIfNull(indices);
        return indices.Shape is { Rank: 1 } && SourceOf(indices).Producer is { } node && node.Is("NonZero")
            && node.Inputs[0]!.Shape is { Rank: 1 };
    }

    /// <summary>The value before all reshapes that lead to this one.</summary>
    private static Value SourceOf(Value value)
    {
        while (value.Producer is { } node && node.Is("Reshape"))
            value = node.Inputs[0]!;
        return value;
    }
}
