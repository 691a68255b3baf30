using System.Collections.Frozen;
using System.Numerics;
using OrtPeft.Tokenizers.Chat.Jinja.Runtime;
using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat.Jinja.Library;

/// <summary>The tests that follow <c>is</c>, by name.</summary>
internal static class Tests
{
    private static readonly FrozenDictionary<string, Filter> All = ((Filter[])
    [
        new("defined", "value", static b => b[0] is not Undefined),
        new("undefined", "value", static b => b[0] is Undefined),
        new("none", "value", static b => b[0] is null),
        new("boolean", "value", static b => b[0] is bool),
        new("true", "value", static b => b[0] is true),
        new("false", "value", static b => b[0] is false),
        new("integer", "value", static b => b[0] is BigInteger),
        new("float", "value", static b => b[0] is double),
        new("number", "value", static b => Equality.IsNumber(b[0])),
        new("string", "value", static b => b[0] is string or Markup),
        new("mapping", "value", static b => b[0] is PyDict),
        new("sequence", "value", static b => IsSequence(b[0])),
        new("iterable", "value", static b => Iteration.IsPossible(b[0])),
        new("callable", "value", static b => b[0] is ICallable or Undefined),
        new("escaped", "value", static b => b[0] is Markup),
        new("sameas", "value, other", static b => IsSame(b[0], b[1])),
        new("odd", "value", static b => Equality.AreEqual(Remainder(b[0], BigInteger.One + 1), BigInteger.One)),
        new("even", "value", static b => Equality.AreEqual(Remainder(b[0], BigInteger.One + 1), BigInteger.Zero)),
        new("divisibleby", "value, num", static b => Equality.AreEqual(Remainder(b[0], b[1]), BigInteger.Zero)),
        new("lower", "value", static b => CaseMapping.IsLower(b.Text(0))),
        new("upper", "value", static b => CaseMapping.IsUpper(b.Text(0))),
        new("filter", "value", static b => b[0] is string name && Filters.Knows(name)),
        new("test", "value", static b => b[0] is string name && Knows(name)),
        new("in", "value, seq", static b => Comparisons.Contains(b[1], b[0])),
        .. Comparing("==", "eq", "equalto"),
        .. Comparing("!=", "ne"),
        .. Comparing("<", "lt", "lessthan"),
        .. Comparing("<=", "le"),
        .. Comparing(">", "gt", "greaterthan"),
        .. Comparing(">=", "ge"),
    ]).ToFrozenDictionary(static row => row.Name, StringComparer.Ordinal);

    public static bool Apply(string name, object? value, Arguments arguments) =>
        All.TryGetValue(name, out var test)
            ? Truth.Of(test.Apply(value, arguments))
            : throw new JinjaException($"No test named {PythonText.Repr(name)}.");

    private static bool IsSequence(object? value) =>
        value is string or Markup or PyList or PyTuple or PyDict or PyRange or Undefined;

    private static bool Knows(string name) => All.ContainsKey(name);

    private static IEnumerable<Filter> Comparing(params string[] names) =>
        names.Select(name => new Filter(name, "a, b", b => Comparisons.Holds(names[0], b[0], b[1])));

    private static object? Remainder(object? value, object? divisor) => Arithmetic.Apply("%", value, divisor);

    /// <summary>
    /// Small values are one object each in Python; larger ones are the same when they are one value here.
    /// </summary>
    private static bool IsSame(object? left, object? right) => (left, right) switch
    {
        (bool a, bool b) => a == b,
        (BigInteger a, BigInteger b) => a == b,
        (string a, string b) => a == b,
        _ => ReferenceEquals(left, right),
    };
}
