using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Artifacts;

/// <summary>Whether a tensor's numbers are numbers.</summary>
internal static class FiniteNumbers
{
    /// <summary>Looks at every element of a float32 tensor, where it lies; other types pass.</summary>
    public static bool Are(Tensor tensor) =>
        tensor.Type != ElementType.Float || tensor.View<float, bool>(AreFinite);

    private static bool AreFinite(ReadOnlySpan<float> values)
    {
        foreach (var value in values)
        {
            if (!float.IsFinite(value))
                return false;
        }

        return true;
    }
}
