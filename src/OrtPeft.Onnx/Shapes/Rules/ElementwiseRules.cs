using OrtPeft.Tensors;

using Element = System.Func<
    OrtPeft.Onnx.Shapes.SymbolicInteger?,
    OrtPeft.Onnx.Shapes.SymbolicInteger?,
    OrtPeft.Onnx.Shapes.SymbolicInteger?>;

namespace OrtPeft.Onnx.Shapes.Rules;

/// <summary>Operators that work element by element, with broadcasting where they read several tensors.</summary>
internal static class ElementwiseRules
{
    public static IEnumerable<ShapeRow> Rows =>
    [
        .. ShapeRow.Each(1, 1, Like, Activations),
        .. ShapeRow.Each(1, 1, Like, Functions),
        new("Identity", 1, 1, static c => Like(c, static x => x)),
        new("Neg", 1, 1, static c => Like(c, static x => IntegerData.Subtract(SymbolicInteger.Of(0), x))),
        new("Abs", 1, 1, static c => Like(c, static x => x?.LowerBound >= 0 ? x : null)),
        new("Clip", 1, 3, Like),
        new("PRelu", 2, 2, Like),
        .. ShapeRow.Each(1, 1, static c => Flags(c, c.ShapeOf(0)), "IsNaN", "IsInf"),
        new("Not", 1, 1, static c => Like(c, IntegerData.Not)),
        new("Cast", 1, 1, static c => Cast(c, c.TypeIn("to", ElementType.Undefined)))
        {
            Attributes = ["to"],
        },
        new("CastLike", 2, 2, static c => Cast(c, c.TypeOf(1))),
        new("Add", 2, 2, static c => Binary(c, IntegerData.Add)),
        new("Sub", 2, 2, static c => Binary(c, IntegerData.Subtract)),
        new("Mul", 2, 2, static c => Binary(c, IntegerData.Multiply)),
        new("Div", 2, 2, static c => Binary(c, IntegerData.Divide)),
        new("Mod", 2, 2, static c => Binary(c, IntegerData.Remainder)),
        new("Pow", 2, 2, static c => c.Set(0, c.TypeOf(0), Broadcasting.Of(c, 0, 1))),
        .. ShapeRow.Each(2, 2, static c => Binary(c, null), "And", "Or", "Xor", "BitShift"),
        .. ShapeRow.Each(2, 2, static c => Binary(c, null), "BitwiseAnd", "BitwiseOr", "BitwiseXor"),
        new("Min", 1, ShapeRow.AnyNumber, static c => Variadic(c, IntegerData.Min)),
        new("Max", 1, ShapeRow.AnyNumber, static c => Variadic(c, IntegerData.Max)),
        new("Sum", 1, ShapeRow.AnyNumber, static c => Variadic(c, IntegerData.Add)),
        new("Mean", 1, ShapeRow.AnyNumber, static c => Variadic(c, static (_, _) => null)),
        new("Equal", 2, 2, static c => Compare(c, IntegerData.Equal)),
        new("Less", 2, 2, static c => Compare(c, IntegerData.Less)),
        new("Greater", 2, 2, static c => Compare(c, static (a, b) => IntegerData.Less(b, a))),
        new("LessOrEqual", 2, 2, static c => Compare(c, static (a, b) => IntegerData.Not(IntegerData.Less(b, a)))),
        new("GreaterOrEqual", 2, 2, static c => Compare(c, static (a, b) => IntegerData.Not(IntegerData.Less(a, b)))),
        new("Where", 3, 3, Where),
    ];

    private static IEnumerable<string> Activations =>
    [
        "Relu", "LeakyRelu", "Elu", "Selu", "Celu", "Gelu", "Mish", "Sigmoid", "HardSigmoid", "HardSwish", "Softplus",
        "Softsign", "Swish", "ThresholdedRelu", "Shrink", "Tanh", "Erf",
    ];

    private static IEnumerable<string> Functions =>
    [
        "Sqrt", "Reciprocal", "Exp", "Log", "Sin", "Cos", "Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh", "Asinh",
        "Acosh", "Atanh", "Floor", "Ceil", "Round", "Sign", "BitwiseNot",
    ];

    /// <summary>An output with type and axes of the first input.</summary>
    public static void Like(ShapeContext c) => c.Set(0, c.TypeOf(0), c.ShapeOf(0));

    private static void Like(ShapeContext c, Func<SymbolicInteger?, SymbolicInteger?> element)
    {
        Like(c);
        c.SetData(c.DataOf(0)?.Select(element).ToArray());
    }

    private static void Flags(ShapeContext c, Shape? shape) => c.Set(0, ElementType.Bool, shape);

    private static void Cast(ShapeContext c, ElementType to)
    {
        c.Set(0, to, c.ShapeOf(0));
        var toBool = to == ElementType.Bool && c.TypeOf(0) != ElementType.Bool;
        c.SetData(toBool
            ? c.DataOf(0)?.Select(static x => IntegerData.Not(IntegerData.Not(x))).ToArray()
            : c.DataOf(0));
    }

    private static void Binary(ShapeContext c, Element? element)
    {
        c.Set(0, c.Node.OpType == "BitShift" ? c.TypeOf(0) : c.SameType(0, 1), Broadcasting.Of(c, 0, 1));
        if (element is not null)
            c.SetData(IntegerData.Map(element, c.DataOf(0), c.DataOf(1)));
    }

    private static void Variadic(ShapeContext c, Element element)
    {
        var inputs = c.AllInputs();
        c.Set(0, c.SameType(inputs), Broadcasting.Of(c, inputs));
        c.SetData(inputs.Skip(1).Aggregate(c.DataOf(0), (data, i) => IntegerData.Map(element, data, c.DataOf(i))));
    }

    private static void Compare(ShapeContext c, Element element)
    {
        c.SameType(0, 1);
        Flags(c, Broadcasting.Of(c, 0, 1));
        c.SetData(IntegerData.Map(element, c.DataOf(0), c.DataOf(1)));
    }

    private static void Where(ShapeContext c)
    {
        if (c.TypeOf(0) is not (ElementType.Bool or ElementType.Undefined))
            throw c.Error($"the condition must be Bool, not {c.TypeOf(0)}");
        c.Set(0, c.SameType(1, 2), Broadcasting.Of(c, 0, 1, 2));
        if (c.DataOf(0) is not { } condition || c.DataOf(1) is not { } yes || c.DataOf(2) is not { } no)
            return;
        var count = c.Node.Output.Shape is { Rank: <= 1 } shape ? (shape.Rank == 0 ? 1 : shape[0].Value) : null;
        if (count is { } n and >= 0 and <= IntegerData.MaxElements)
            c.SetData([.. Enumerable.Range(0, (int)n).Select(i => Choose(condition, yes, no, i))]);
    }

    private static SymbolicInteger? Choose(
        IReadOnlyList<SymbolicInteger?> condition,
        IReadOnlyList<SymbolicInteger?> yes,
        IReadOnlyList<SymbolicInteger?> no,
        int index)
    {
        var (a, b) = (IntegerData.At(yes, index), IntegerData.At(no, index));
        return IntegerData.At(condition, index)?.Constant switch
        {
            null => a is not null && a.Equals(b) ? a : null,
            0 => b,
            _ => a,
        };
    }
}
