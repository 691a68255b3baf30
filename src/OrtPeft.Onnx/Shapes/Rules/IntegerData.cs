using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Shapes.Rules;

/// <summary>Element-wise arithmetic on the known elements of small integer tensors.</summary>
internal static class IntegerData
{
    /// <summary>Longer tensors are data, not shapes.</summary>
    public const int MaxElements = 64;

    public static bool Holds(ElementType type) =>
        type is ElementType.Int64 or ElementType.Int32 or ElementType.Bool;

    public static IReadOnlyList<SymbolicInteger?>? Of(Tensor tensor) =>
        Holds(tensor.Type) && tensor.Dims.Length <= 1 && tensor.Count <= MaxElements
            ? [.. tensor.ToInt64().Select(SymbolicInteger.Of)]
            : null;

    /// <summary>Applies a function to elements, those of one-element tensors stretched.</summary>
    public static IReadOnlyList<SymbolicInteger?>? Map(
        Func<SymbolicInteger?, SymbolicInteger?, SymbolicInteger?> function,
        IReadOnlyList<SymbolicInteger?>? a,
        IReadOnlyList<SymbolicInteger?>? b)
    {
        if (a is null || b is null || !Fit(a.Count, b.Count))
            return null;
        var count = a.Count == 1 ? b.Count : a.Count;
        return [.. Enumerable.Range(0, count).Select(i => function(At(a, i), At(b, i)))];
    }

    public static SymbolicInteger? Add(SymbolicInteger? a, SymbolicInteger? b) => SymbolicInteger.Sum(a, b);

    public static SymbolicInteger? Subtract(SymbolicInteger? a, SymbolicInteger? b) =>
        SymbolicInteger.Difference(a, b);

    public static SymbolicInteger? Multiply(SymbolicInteger? a, SymbolicInteger? b) =>
        a?.Constant == 0 || b?.Constant == 0 ? SymbolicInteger.Of(0) : SymbolicInteger.Product(a, b);

    /// <summary>
    /// ONNX divides integers towards zero; only for lengths, which are not negative, is that the floor.
    /// </summary>
    public static SymbolicInteger? Divide(SymbolicInteger? a, SymbolicInteger? b)
    {
        if (a is null || b is null || b.Constant == 0)
            return null;
        return a.LowerBound >= 0 && b.LowerBound >= 0 ? SymbolicInteger.Quotient(a, b) : null;
    }

    /// <summary>The remainder of lengths, where floor and truncation agree.</summary>
    public static SymbolicInteger? Remainder(SymbolicInteger? a, SymbolicInteger? b) =>
        Subtract(a, Multiply(Divide(a, b), b));

    public static SymbolicInteger? Min(SymbolicInteger? a, SymbolicInteger? b)
    {
        if (Less(a, b)?.Constant == 1)
            return a;
        return Less(b, a)?.Constant is 0 or 1 ? (Less(b, a)!.Constant == 1 ? b : a) : null;
    }

    public static SymbolicInteger? Max(SymbolicInteger? a, SymbolicInteger? b)
    {
        if (Min(a, b) is not { } min)
            return null;
        return ReferenceEquals(min, a) ? b : a;
    }

    public static SymbolicInteger? Equal(SymbolicInteger? a, SymbolicInteger? b)
    {
        if (a is null || b is null)
            return null;
        if (a.Constant is { } x && b.Constant is { } y)
            return Flag(x == y);
        if (a.Equals(b))
            return SymbolicInteger.Of(1);
        return Subtract(a, b)?.LowerBound > 0 || Subtract(b, a)?.LowerBound > 0 ? SymbolicInteger.Of(0) : null;
    }

    /// <summary>1 where surely a &lt; b, 0 where surely a ≥ b.</summary>
    public static SymbolicInteger? Less(SymbolicInteger? a, SymbolicInteger? b)
    {
        if (a is null || b is null)
            return null;
        if (a.Constant is { } x && b.Constant is { } y)
            return Flag(x < y);
        if (Subtract(b, a)?.LowerBound > 0)
            return SymbolicInteger.Of(1);
        return Subtract(a, b)?.LowerBound >= 0 ? SymbolicInteger.Of(0) : null;
    }

    public static SymbolicInteger? Not(SymbolicInteger? a) =>
        a?.Constant is { } value ? Flag(value == 0) : null;

    /// <summary>An element of a tensor that broadcasting may stretch.</summary>
    public static SymbolicInteger? At(IReadOnlyList<SymbolicInteger?> data, int index) =>
        data.Count == 1 ? data[0] : data[index];

    private static SymbolicInteger Flag(bool holds) => SymbolicInteger.Of(holds ? 1 : 0);

    private static bool Fit(int a, int b) => a == b || a == 1 || b == 1;
}
