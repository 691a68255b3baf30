using System.Numerics;
using System.Runtime.CompilerServices;

namespace OrtPeft.Tokenizers.Chat.Jinja.Values;

/// <summary>Python's order of values: numbers, texts by code point, lists and tuples item by item.</summary>
internal static class Ordering
{
    /// <summary>
    /// Below 0, 0, or above 0; null where no order holds, which is so for NaN.
    /// </summary>
    /// <param name="op">The operator, for the message where the types have no order.</param>
    /// <param name="left">The left value.</param>
    /// <param name="right">The right value.</param>
    public static int? Compare(string op, object? left, object? right)
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw new JinjaException("a value is nested too deeply", JinjaFailure.Limit);
        if ((left as Undefined ?? right as Undefined) is { } undefined)
            throw undefined.Error();
        return (left, right) switch
        {
            (PyList a, PyList b) => CompareItems(op, a.Items, b.Items),
            (PyTuple a, PyTuple b) => CompareItems(op, a.Items, b.Items),
            _ when Equality.IsNumber(left) && Equality.IsNumber(right) => CompareNumbers(left!, right!),
            _ when Text(left) is { } a && Text(right) is { } b => PythonText.Compare(a, b),
            _ => throw new JinjaException($"'{op}' not supported between instances of '{TypeNames.Of(left)}' and "
                + $"'{TypeNames.Of(right)}'"),
        };
    }

    public static int? CompareNumbers(object left, object right)
    {
        if (left is double a && right is double b)
            return double.IsNaN(a) || double.IsNaN(b) ? null : a.CompareTo(b);
        if (left is double number)
            return -CompareMixed(Whole.Of(right), number);
        return right is double other ? CompareMixed(Whole.Of(left), other) : Whole.Of(left).CompareTo(Whole.Of(right));
    }

    /// <summary>Sorts as Python does: what is equal keeps its order, in the reverse direction too.</summary>
    public static List<T> Sort<T>(IReadOnlyList<T> items, Func<T, object?> key, bool isReversed)
    {
        object?[] keys = [.. items.Select(key)];
        int[] order = [.. Enumerable.Range(0, items.Count)];
        MergeSort(order, new int[order.Length], 0, order.Length, (left, right) => isReversed
            ? Compare("<", keys[left], keys[right]) < 0
            : Compare("<", keys[right], keys[left]) < 0);
        return [.. order.Select(i => items[i])];
    }

    private static void MergeSort(int[] order, int[] spare, int start, int end, Func<int, int, bool> comesAfter)
    {
        if (end - start < 2)
            return;
        var middle = (start + end) / 2;
        MergeSort(order, spare, start, middle, comesAfter);
        MergeSort(order, spare, middle, end, comesAfter);
        var left = start;
        var right = middle;
        for (var i = start; i < end; i++)
        {
            var takesRight = left >= middle || (right < end && comesAfter(order[left], order[right]));
            spare[i] = takesRight ? order[right++] : order[left++];
        }

        Array.Copy(spare, start, order, start, end - start);
    }

    private static int? CompareItems(string op, List<object?> left, List<object?> right)
    {
        for (var i = 0; i < left.Count && i < right.Count; i++)
        {
            if (!Equality.AreEqual(left[i], right[i]))
                return Compare(op, left[i], right[i]);
        }

        return left.Count.CompareTo(right.Count);
    }

    private static int? CompareMixed(BigInteger whole, double number)
    {
        if (double.IsNaN(number))
            return null;
        if (double.IsInfinity(number))
            return number > 0 ? -1 : 1;
        var order = whole.CompareTo(new BigInteger(Math.Floor(number)));
        return order == 0 && !double.IsInteger(number) ? -1 : order;
    }

    private static string? Text(object? value) => value as string ?? (value as Markup)?.Text;
}
