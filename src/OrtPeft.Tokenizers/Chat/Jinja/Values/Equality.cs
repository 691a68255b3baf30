using System.Numerics;
using System.Runtime.CompilerServices;

namespace OrtPeft.Tokenizers.Chat.Jinja.Values;

/// <summary>Python's <c>==</c> and the hash that goes with it: numbers of any kind are equal by value.</summary>
internal static class Equality
{
    public static bool AreEqual(object? left, object? right)
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw new JinjaException("a value is nested too deeply", JinjaFailure.Limit);
        if (ReferenceEquals(left, right))
            return left is not double.NaN;
        return (left, right) switch
        {
            (null, _) or (_, null) => false,
            (Undefined, Undefined) => true,
            (PyList a, PyList b) => SequencesEqual(a.Items, b.Items),
            (PyTuple a, PyTuple b) => SequencesEqual(a.Items, b.Items),
            (PyDict a, PyDict b) => DictsEqual(a, b),
            (PyRange a, PyRange b) => a.Items.SequenceEqual(b.Items),
            (PyView a, PyView b) => ViewsEqual(a, b),
            _ when AsText(left) is { } a && AsText(right) is { } b => a == b,
            _ when IsNumber(left) && IsNumber(right) => NumbersEqual(left, right),
            _ => false,
        };
    }

    public static int Hash(object value) => value switch
    {
        bool truth => BigInteger.One.GetHashCode() * (truth ? 1 : 0),
        BigInteger whole => whole.IsZero ? 0 : whole.GetHashCode(),
        double number when double.IsInteger(number) => Hash(new BigInteger(number)),
        Markup markup => markup.Text.GetHashCode(StringComparison.Ordinal),
        PyTuple tuple => tuple.Items.Aggregate(17, static (sum, item) => (sum * 31) + (item is null ? 0 : Hash(item))),
        PyRange range => range.Count,
        _ => value.GetHashCode(),
    };

    public static bool IsNumber(object? value) => value is bool or BigInteger or double;

    private static string? AsText(object? value) => value as string ?? (value as Markup)?.Text;

    private static bool NumbersEqual(object left, object right)
    {
        if (left is not double && right is not double)
            return Whole.Of(left) == Whole.Of(right);
        return left is double a && right is double b ? a == b : Ordering.CompareNumbers(left, right) == 0;
    }

    private static bool SequencesEqual(List<object?> left, List<object?> right)
    {
        if (left.Count != right.Count)
            return false;
        for (var i = 0; i < left.Count; i++)
        {
            if (!AreEqual(left[i], right[i]))
                return false;
        }

        return true;
    }

    private static bool DictsEqual(PyDict left, PyDict right) => left.Count == right.Count
        && left.Pairs.All(pair => right.TryGet(pair.Key, out var other) && AreEqual(pair.Value, other));

    /// <summary>Keys and items are equal as sets; values are equal to nothing but themselves.</summary>
    private static bool ViewsEqual(PyView left, PyView right) =>
        left.Type != "dict_values" && right.Type != "dict_values"
        && left.Items.Items.Count == right.Items.Items.Count
        && left.Items.Items.TrueForAll(item => right.Items.Items.Exists(other => AreEqual(item, other)));
}
