namespace OrtPeft.Onnx.Shapes.Rules;

/// <summary><c>Conv</c>: [batch, channels, spatial…] with filters [out, in/group, kernel…].</summary>
internal static class ConvolutionRule
{
    public static void Apply(ShapeContext c)
    {
        if (c.ShapeOf(0) is not { } input || c.ShapeOf(1) is not { } filters)
        {
            c.Set(0, c.SameType(0, 1), null);
            return;
        }

        if (input.Rank < 3 || filters.Rank != input.Rank)
            throw c.Error("input and filters must have the same rank of at least 3");
        c.Same(input[1], filters[1].Times(c.Count("group", 1)), "input channels and the filters'");
        var spatial = Enumerable.Range(0, input.Rank - 2).Select(i => Length(c, input[i + 2], filters[i + 2], i));
        c.Set(0, c.SameType(0, 1), Shape.Create([input[0], filters[0], .. spatial]));
    }

    /// <summary>
    /// floor((in + pads − (dilation · (kernel − 1) + 1)) / stride) + 1, or ceil(in / stride) with SAME padding.
    /// </summary>
    private static Dim Length(ShapeContext c, Dim input, Dim kernel, int axis)
    {
        var rank = c.ShapeOf(0)!.Rank - 2;
        var stride = At(c, "strides", axis, 1);
        var automatic = c.Attributes.String("auto_pad", "NOTSET");
        if (automatic.StartsWith("SAME", StringComparison.Ordinal))
            return input.Plus(stride - 1).Over(stride);
        var pads = automatic == "VALID" ? 0 : At(c, "pads", axis, 0) + At(c, "pads", axis + rank, 0);
        var extent = kernel.Minus(1).Times(At(c, "dilations", axis, 1)).Plus(1);
        return input.Plus(pads).Minus(extent).Over(stride).Plus(1);
    }

    /// <summary>
    /// <c>ConvTranspose</c>: [batch, channels, spatial…] with filters [channels, out/group, kernel…]; along an axis
    /// stride · (in − 1) + output padding + dilation · (kernel − 1) + 1 − pads, or in · stride with SAME padding, or
    /// what <c>output_shape</c> says.
    /// </summary>
    public static void ApplyTransposed(ShapeContext c)
    {
        if (c.ShapeOf(0) is not { } input || c.ShapeOf(1) is not { } filters)
        {
            c.Set(0, c.SameType(0, 1), null);
            return;
        }

        if (input.Rank < 3 || filters.Rank != input.Rank)
            throw c.Error("input and filters must have the same rank of at least 3");
        c.Same(input[1], filters[0], "input channels and the filters'");
        var spatial = Enumerable.Range(0, input.Rank - 2)
            .Select(i => TransposedLength(c, input[i + 2], filters[i + 2], i));
        c.Set(0, c.SameType(0, 1), Shape.Create([input[0], filters[1].Times(c.Count("group", 1)), .. spatial]));
    }

    private static Dim TransposedLength(ShapeContext c, Dim input, Dim kernel, int axis)
    {
        var rank = c.ShapeOf(0)!.Rank - 2;
        if (c.Attributes.Ints("output_shape") is { } stated)
            return At(c, "output_shape", stated.Length - rank + axis, 0);
        var stride = At(c, "strides", axis, 1);
        var automatic = c.Attributes.String("auto_pad", "NOTSET");
        if (automatic.StartsWith("SAME", StringComparison.Ordinal))
            return input.Times(stride);
        var pads = automatic == "VALID" ? 0 : At(c, "pads", axis, 0) + At(c, "pads", axis + rank, 0);
        var extent = kernel.Minus(1).Times(At(c, "dilations", axis, 1)).Plus(1);
        return input.Minus(1).Times(stride).Plus(At(c, "output_padding", axis, 0)).Plus(extent).Minus(pads);
    }

    private static long At(ShapeContext c, string attribute, int index, long otherwise)
    {
        var values = c.Attributes.Ints(attribute);
        if (values is null)
            return otherwise;
        return index >= 0 && index < values.Length
            ? values[index]
            : throw c.Error($"'{attribute}' has only {values.Length} entries");
    }
}
