using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Shapes.Rules;

/// <summary>Operators that make tensors out of attributes, lengths or chance.</summary>
internal static class ConstantRules
{
    public static IEnumerable<ShapeRow> Rows =>
    [
        new("Constant", 0, 0, Constant),
        new("ConstantOfShape", 1, 1, ConstantOfShape) { Integers = [0] },
        new("Range", 3, 3, Range),
        new("RandomUniform", 0, 0, Random) { Attributes = ["shape"] },
        new("RandomNormal", 0, 0, Random) { Attributes = ["shape"] },
        .. ShapeRow.Each(1, 1, RandomLike, "RandomUniformLike", "RandomNormalLike", "Bernoulli", "EyeLike"),
        new("Multinomial", 1, 1, Multinomial),
    ];

    private static void Constant(ShapeContext c)
    {
        if (c.Node.Output.Constant is { } content)
            c.Set(0, content.Type, content.Shape);
        else if (c.Attributes.Contains("value_string"))
            c.Set(0, ElementType.String, Shape.Scalar);
    }

    private static void ConstantOfShape(ShapeContext c)
    {
        var value = c.Attributes.Tensor("value");
        var shape = c.AxesIn(0);
        c.Set(0, value?.Type ?? ElementType.Float, shape);
        if (value is { Count: 1 } && IntegerData.Of(value) is [var element] && shape is { Rank: <= 1 }
            && shape.Product().Value is { } count and <= IntegerData.MaxElements)
            c.SetData([.. Enumerable.Repeat(element, (int)count)]);
    }

    /// <summary>ceil((limit − start) / delta) elements.</summary>
    private static void Range(ShapeContext c)
    {
        var type = c.SameType(0, 1, 2);
        if (c.DataOf(0) is not [{ } start] || c.DataOf(1) is not [{ } limit] || c.DataOf(2) is not [{ } delta])
        {
            c.Set(0, type, [Dim.Unknown]);
            return;
        }

        if (delta.Constant == 0)
            throw c.Error("delta is 0");
        var span = Dim.Of(IntegerData.Subtract(limit, start));
        var length = delta.Constant == 1 ? span : ((Dim)0).Minus(((Dim)0).Minus(span).Over(Dim.Of(delta)));
        c.Set(0, type, [length.Value < 0 ? 0 : length]);
        if (length.Value is > 0 and <= IntegerData.MaxElements and var count)
            c.SetData([.. Enumerable.Range(0, (int)count).Select(i => Element(start, delta, i))]);
    }

    private static SymbolicInteger? Element(SymbolicInteger start, SymbolicInteger delta, int index) =>
        IntegerData.Add(start, IntegerData.Multiply(SymbolicInteger.Of(index), delta));

    private static void Random(ShapeContext c)
    {
        c.Set(0, c.TypeIn("dtype", ElementType.Float), Shape.Of(c.Attributes.Ints("shape")!));
    }

    private static void RandomLike(ShapeContext c) =>
        c.Set(0, c.TypeIn("dtype", c.TypeOf(0)), c.ShapeOf(0));

    private static void Multinomial(ShapeContext c)
    {
        var batch = c.Ranked(0, 2)?[0] ?? Dim.Unknown;
        c.Set(0, c.TypeIn("dtype", ElementType.Int32), [batch, c.Attributes.Int("sample_size", 1)]);
    }
}
