using System.Numerics;
using System.Text;
using OrtPeft.Tokenizers.Chat.Jinja.Runtime;
using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat.Jinja.Library;

/// <summary>Filters over lists and dicts that neither choose nor sort.</summary>
internal static class SequenceFilters
{
    public static IEnumerable<Filter> Rows =>
    [
        new("default", "value, default_value?, boolean?", Default),
        new("d", "value, default_value?, boolean?", Default),
        new("length", "obj", static b => (BigInteger)Sizes.Length(b[0])),
        new("count", "obj", static b => (BigInteger)Sizes.Length(b[0])),
        new("list", "value", static b => new PyList(b.Items(0))),
        new("first", "seq", static b => First(b.Items(0), "No first item, sequence was empty.")),
        new("last", "seq", static b => First(Reversed(b[0]), "No last item, sequence was empty.")),
        new("reverse", "value", Reverse),
        new("items", "value", Items),
        new("join", "value, d?, attribute?", Join),
        new("sum", "iterable, attribute?, start?", Sum),
        new("batch", "value, linecount, fill_with?", static b => Generator(Batch(b))),
        new("slice", "value, slices, fill_with?", static b => Generator(Slices(b))),
        new("attr", "obj, name", static b => Access.TryAttribute(b[0], b.String(1), out var value)
            ? value
            : Undefined.OfMember(b[0], b[1])),
    ];

    public static PyIterator Generator(IEnumerable<object?> items) => new("generator", items);

    private static object? Default(Bound given) =>
        given[0] is Undefined || (given.IsTrue(2) && !Truth.Of(given[0])) ? given.Or(1, "") : given[0];

    private static object? First(IEnumerable<object?> items, string none)
    {
        foreach (var item in items)
            return item;
        return new Undefined(none);
    }

    private static IEnumerable<object?> Reversed(object? value) => value is PyIterator
        ? throw new JinjaException($"'{TypeNames.Of(value)}' object is not reversible")
        : Iteration.Of(value).Reverse();

    private static object? Reverse(Bound given) => given[0] switch
    {
        string or Markup => new Slice(null, null, BigInteger.MinusOne).Of(given[0]),
        PyIterator iterator => new PyList(iterator.Rest().Reverse()),
        _ => new PyIterator("list_reverseiterator", given.Items(0).Reverse()),
    };

    private static PyIterator Items(Bound given) => given[0] switch
    {
        Undefined => Generator([]),
        PyDict dict => Generator(dict.Pairs.Select(static p => (object?)new PyTuple([p.Key, p.Value]))),
        _ => Generator(NotMapping()),
    };

    /// <summary>Fails when it is gone through, not before, as Python's generator does.</summary>
    private static IEnumerable<object?> NotMapping()
    {
        foreach (var _ in Enumerable.Range(0, 1))
            throw new JinjaException("Can only get item pairs from a mapping.");
        yield break;
    }

    private static string Join(Bound given)
    {
        var path = AttributePath.Of(given.Or(2, null));
        var separator = given.Has(1) ? given.Text(1) : "";
        var joined = new StringBuilder();
        var isFirst = true;
        foreach (var item in given.Items(0))
        {
            joined.Append(isFirst ? "" : separator).Append(Display.Text(path.Get(item)));
            given.Run.Check(joined.Length);
            isFirst = false;
        }

        return joined.ToString();
    }

    private static object? Sum(Bound given)
    {
        var path = AttributePath.Of(given.Or(1, null));
        var start = given.Or(2, BigInteger.Zero);
        if (start is string)
            throw new JinjaException("sum() can't sum strings [use ''.join(seq) instead]");
        return given.Items(0).Aggregate(start, (sum, item) => Arithmetic.Apply("+", sum, path.Get(item)));
    }

    private static IEnumerable<object?> Batch(Bound given)
    {
        var size = given.Integer(1);
        var fill = given.Or(2, null);
        var batch = new List<object?>();
        foreach (var item in given.Items(0))
        {
            if (batch.Count == size)
            {
                yield return new PyList(batch);
                batch = [];
            }

            batch.Add(item);
        }

        if (batch.Count == 0)
            yield break;
        given.Run.Spend(size);
        while (fill is not null && batch.Count < size)
            batch.Add(fill);
        yield return new PyList(batch);
    }

    private static IEnumerable<object?> Slices(Bound given)
    {
        object?[] items = [.. given.Items(0)];
        var slices = given.Integer(1);
        if (slices == 0)
            throw new JinjaException("integer division or modulo by zero");
        given.Run.Spend(slices);
        var (size, larger) = Math.DivRem(items.Length, slices);
        var offset = 0;
        for (var i = 0; i < slices; i++)
        {
            var start = offset + (i * size);
            offset += i < larger ? 1 : 0;
            var part = new PyList(items[start..(offset + ((i + 1) * size))]);
            if (given.Or(2, null) is { } fill && i >= larger)
                part.Items.Add(fill);
            yield return part;
        }
    }
}
