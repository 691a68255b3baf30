namespace OrtPeft.Tokenizers.Chat.Jinja.Values;

/// <summary>The operators that compare.</summary>
internal static class Comparisons
{
    public static bool Holds(string op, object? left, object? right) => op switch
    {
        "==" => Equality.AreEqual(left, right),
        "!=" => !Equality.AreEqual(left, right),
        "<" => Ordering.Compare(op, left, right) < 0,
        "<=" => Ordering.Compare(op, left, right) <= 0,
        ">" => Ordering.Compare(op, left, right) > 0,
        ">=" => Ordering.Compare(op, left, right) >= 0,
        "in" => Contains(right, left),
        "not in" => !Contains(right, left),
        _ => throw new System.Diagnostics.UnreachableException($"Bug: no operator {op}."),
    };

    public static bool Contains(object? container, object? item)
    {
        var text = container as string ?? (container as Markup)?.Text;
        if (text is not null)
        {
            var part = item as string ?? (item as Markup)?.Text;
            return part is not null
                ? text.Contains(part, StringComparison.Ordinal)
                : throw new JinjaException($"'in <string>' requires string as left operand, not {TypeNames.Of(item)}");
        }

        if (container is not PyDict dict)
            return Items(container).Any(other => Equality.AreEqual(other, item));
        return PyDict.IsHashable(item)
            ? dict.TryGet(item, out _)
            : throw new JinjaException($"unhashable type: '{TypeNames.Of(item)}'");
    }

    private static IEnumerable<object?> Items(object? container) =>
        Iteration.Of(container, "argument of type '{0}' is not iterable");
}
