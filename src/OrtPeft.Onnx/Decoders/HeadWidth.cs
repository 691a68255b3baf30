namespace OrtPeft.Onnx.Decoders;

/// <summary>The number of scores that an output's head makes, and what it makes them of.</summary>
internal static class HeadWidth
{
    private static readonly string[] OfWeights = ["Transpose", "DequantizeLinear", "Cast", "Identity", "Reshape"];

    /// <summary>The width of the head's product, or null where no product with constant weights makes the
    /// output.</summary>
    public static long? Behind(Value output) =>
        HeadPath.To(output, static n => Of(n) is not null) is { } path ? Of(path.Product) : null;

    /// <summary>The last hidden states, which the head's product reads; null where no product with constant weights makes
    /// the output.</summary>
    public static Value? InputBehind(Value output) =>
        HeadPath.To(output, static n => Of(n) is not null)?.Product.Input(0);

    private static long? Of(Node node)
    {
        if (node is { Domain: "com.microsoft", OpType: "MatMulNBits" })
            return node.Attributes.Int("N", 0);
        if ((!node.Is("MatMul") && !node.Is("Gemm")) || node.Input(0)?.Constant is not null)
            return null;
        var (weight, isTurned) = (node.Input(1), node.Attributes.Int("transB", 0) != 0);
        while (weight is { Constant: null, Producer: { Domain: "" } producer } && OfWeights.Contains(producer.OpType))
        {
            if (producer.Is("Reshape") && weight.Shape is not { Rank: 2 })
                return null;
            if (weight.Shape is { Rank: 2 } known && known[isTurned ? 0 : 1].Value is { } width && IsWeight(producer))
                return width;
            isTurned ^= producer.Is("Transpose");
            weight = producer.Input(0);
        }

        return weight?.Constant is { Dims.Length: 2 } matrix ? matrix.Dims[isTurned ? 0 : 1] : null;
    }

    private static bool IsWeight(Node node)
    {
        var value = node.Input(0);
        while (value is { Constant: null, Producer: { Domain: "" } producer } && OfWeights.Contains(producer.OpType))
            value = producer.Input(0);
        return value?.Constant is not null;
    }
}
