using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Shapes.Rules;

/// <summary>Operators between quantised and floating-point values.</summary>
internal static class QuantizationRules
{
    public static IEnumerable<ShapeRow> Rows =>
    [
        .. new[] { "", "com.microsoft" }.SelectMany(static domain => new ShapeRow[]
        {
            new("DequantizeLinear", 2, 3, Dequantize, domain),
            new("QuantizeLinear", 2, 3, Quantize, domain),
        }),
        new("DynamicQuantizeLinear", 1, 1, DynamicQuantize) { MinOutputs = 3 },
    ];

    private static void Dequantize(ShapeContext c)
    {
        c.Set(0, c.TypeIn("output_dtype", c.TypeOf(1)), c.ShapeOf(0));
    }

    private static void Quantize(ShapeContext c)
    {
        var otherwise = c.TypeOf(2) == ElementType.Undefined ? ElementType.UInt8 : c.TypeOf(2);
        var stated = c.TypeIn("output_dtype", ElementType.Undefined);
        c.Set(0, stated == ElementType.Undefined ? otherwise : stated, c.ShapeOf(0));
    }

    private static void DynamicQuantize(ShapeContext c)
    {
        c.Set(0, ElementType.UInt8, c.ShapeOf(0));
        c.Set(1, ElementType.Float, Shape.Scalar);
        c.Set(2, ElementType.UInt8, Shape.Scalar);
    }
}
