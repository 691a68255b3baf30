using OrtPeft.Tensors;

namespace OrtPeft.Testing;

/// <summary>
/// The middle third of <c>c_attn.bias</c> moves all scores of a query by the same amount, which softmax does not see:
/// its gradient is zero, what is computed for it is rounding noise, and Adam turns noise into steps of the learning
/// rate.
/// </summary>
internal static class KeyBias
{
    /// <summary>The elements that have a gradient: of <c>c_attn.bias</c> the first and the last third.</summary>
    public static float[] Left(string name, Tensor tensor)
    {
        var values = tensor.ToFloat32();
        var third = values.Length / 3;
        var isOfAttention = name.Contains("c_attn.", StringComparison.Ordinal);
        return isOfAttention && name.EndsWith(".bias", StringComparison.Ordinal)
            ? [.. values[..third], .. values[(2 * third)..]]
            : values;
    }
}
