using OrtPeft.Tokenizers.Chat.Jinja.Runtime;
using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat.Jinja.Library;

/// <summary>Filters that compare items; texts without regard to case unless told otherwise.</summary>
internal static class OrderFilters
{
    public static IEnumerable<Filter> Rows =>
    [
        new("sort", "value, reverse?, case_sensitive?, attribute?", Sort),
        new("dictsort", "value, case_sensitive?, by?, reverse?", DictSort),
        new("unique", "value, case_sensitive?, attribute?", static b => SequenceFilters.Generator(Unique(b))),
        new("min", "value, case_sensitive?, attribute?", static b => Extreme(b, sign: -1)),
        new("max", "value, case_sensitive?, attribute?", static b => Extreme(b, sign: 1)),
        new("groupby", "value, attribute, default?, case_sensitive?", GroupBy),
    ];

    private static PyList Sort(Bound given)
    {
        var paths = AttributePath.Several(given.Or(3, null));
        var isSensitive = given.IsTrue(2);
        object?[] items = [.. given.Items(0)];
        given.Run.Spend(items.Length * 64L);
        return new PyList(Ordering.Sort(items, Key, given.IsTrue(1)));

        object? Key(object? item) => new PyList(paths.Select(path => Folded(path.Get(item), isSensitive)));
    }

    private static PyList DictSort(Bound given)
    {
        if (given[0] is not PyDict dict)
            throw new JinjaException($"'{TypeNames.Of(given[0])}' object has no attribute 'items'");
        var byValue = given.Or(2, "key") switch
        {
            "key" => false,
            "value" => true,
            _ => throw new JinjaException("You can only sort by either \"key\" or \"value\""),
        };
        var sorted = Ordering.Sort(
            [.. dict.Pairs], pair => Folded(byValue ? pair.Value : pair.Key, given.IsTrue(1)), given.IsTrue(3));
        return new PyList(sorted.Select(static pair => new PyTuple([pair.Key, pair.Value])));
    }

    private static IEnumerable<object?> Unique(Bound given)
    {
        var path = AttributePath.Of(given.Or(2, null));
        var seen = new PyDict();
        foreach (var item in given.Items(0))
        {
            var key = Folded(path.Get(item), given.IsTrue(1));
            var known = seen.Count;
            seen.Set(key, null);
            if (seen.Count > known)
                yield return item;
        }
    }

    private static object? Extreme(Bound given, int sign)
    {
        var path = AttributePath.Of(given.Or(2, null));
        object? best = new Undefined("No aggregated item, sequence was empty.");
        object? bestKey = null;
        var any = false;
        foreach (var item in given.Items(0))
        {
            var key = Folded(path.Get(item), given.IsTrue(1));
            if (!any || Ordering.Compare(sign > 0 ? ">" : "<", key, bestKey) * sign > 0)
                (best, bestKey) = (item, key);
            any = true;
        }

        return best;
    }

    private static PyList GroupBy(Bound given)
    {
        var path = AttributePath.Of(given[1], given.Or(2, null));
        var isSensitive = given.IsTrue(3);
        var groups = new PyList([]);
        object? lastKey = null;
        PyList? members = null;
        foreach (var item in Ordering.Sort([.. given.Items(0)], Key, isReversed: false))
        {
            var key = Key(item);
            if (members is null || !Equality.AreEqual(key, lastKey))
            {
                members = new PyList([]);
                groups.Items.Add(new PyTuple([path.Get(item), members], isGroup: true));
            }

            lastKey = key;
            members.Items.Add(item);
        }

        return groups;

        object? Key(object? item) => Folded(path.Get(item), isSensitive);
    }

    private static object? Folded(object? value, bool isSensitive) =>
        !isSensitive && value is string text ? CaseMapping.Lower(text) : value;
}
