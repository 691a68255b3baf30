using System.Numerics;
using OrtPeft.Tokenizers.Chat.Jinja.Runtime;
using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat.Jinja.Library;

/// <summary>The methods of dicts, lists and tuples that change nothing.</summary>
internal static class ContainerMethods
{
    public static IEnumerable<Method<PyDict>> DictRows =>
    [
        new("get", "key, default?", Get),
        new("items", "", static (dict, _) =>
            new PyView("dict_items", dict.Pairs.Select(static p => (object?)new PyTuple([p.Key, p.Value])))),
        new("keys", "", static (dict, _) => new PyView("dict_keys", dict.Keys)),
        new("values", "", static (dict, _) => new PyView("dict_values", dict.Values)),
        new("copy", "", static (dict, _) => Copy(dict)),
        Method<PyDict>.Unsupported("fromkeys"),
    ];

    public static IEnumerable<Method<List<object?>>> ListRows =>
    [
        new("count", "value", static (items, b) =>
            (BigInteger)items.Count(item => Equality.AreEqual(item, b[0]))),
        new("index", "value, start?, stop?", static (items, b) => Index(items, b)),
        new("copy", "", static (items, _) => new PyList(items)),
    ];

    private static object? Get(PyDict dict, Bound given)
    {
        if (!PyDict.IsHashable(given[0]))
            throw new JinjaException($"unhashable type: '{TypeNames.Of(given[0])}'");
        return dict.TryGet(given[0], out var value) ? value : given.Or(1, null);
    }

    private static PyDict Copy(PyDict dict)
    {
        var copy = new PyDict();
        foreach (var (key, value) in dict.Pairs)
            copy.Set(key, value);
        return copy;
    }

    private static BigInteger Index(List<object?> items, Bound given)
    {
        var start = Bound(given.IntegerOr(1, 0));
        var stop = Bound(given.IntegerOr(2, int.MaxValue));
        for (var i = start; i < stop; i++)
        {
            if (Equality.AreEqual(items[i], given[0]))
                return i;
        }

        throw new JinjaException($"{Display.ShortRepr(given[0])} is not in list");

        int Bound(int place) => Math.Clamp(place < 0 ? place + items.Count : place, 0, items.Count);
    }
}
