using OrtPeft.Tokenizers.Chat.Jinja.Runtime;
using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat.Jinja.Library;

/// <summary>
/// Filters that go through items with another filter or a test; they do so when they are asked for items.
/// </summary>
internal static class SelectionFilters
{
    public static IEnumerable<Filter> Rows =>
    [
        new("map", static (value, a) => SequenceFilters.Generator(Map(value, a))),
        new("select", static (value, a) => Selected(value, a, ofAttribute: false, keeps: true)),
        new("reject", static (value, a) => Selected(value, a, ofAttribute: false, keeps: false)),
        new("selectattr", static (value, a) => Selected(value, a, ofAttribute: true, keeps: true)),
        new("rejectattr", static (value, a) => Selected(value, a, ofAttribute: true, keeps: false)),
    ];

    private static IEnumerable<object?> Map(object? value, Arguments given)
    {
        if (!Truth.Of(value))
            yield break;
        var map = Mapping(given);
        foreach (var item in Iteration.Of(value))
        {
            given.Run.Spend(1);
            yield return map(item);
        }
    }

    private static Func<object?, object?> Mapping(Arguments given)
    {
        var named = given.Skip(0);
        if (given.Positional.Count == 0 && named.TryTake("attribute", out var attribute))
        {
            named.TryTake("default", out var otherwise);
            return named.Named.Count == 0
                ? AttributePath.Of(attribute, otherwise).Get
                : throw new JinjaException($"Unexpected keyword argument {PythonText.Repr(named.Named[0].Key)}");
        }

        var filter = given.Positional.FirstOrDefault() as string
            ?? throw new JinjaException("map requires a filter argument");
        var rest = given.Skip(1);
        return item => Filters.Apply(filter, item, rest);
    }

    private static PyIterator Selected(object? value, Arguments given, bool ofAttribute, bool keeps) =>
        SequenceFilters.Generator(Select(value, given, ofAttribute, keeps));

    private static IEnumerable<object?> Select(object? value, Arguments given, bool ofAttribute, bool keeps)
    {
        if (!Truth.Of(value))
            yield break;
        var used = ofAttribute ? 1 : 0;
        if (given.Positional.Count < used)
            throw new JinjaException("Missing parameter for attribute name");
        var path = AttributePath.Of(ofAttribute ? given.Positional[0] : null);
        var test = given.Positional.Count > used
            ? given.Positional[used] as string ?? throw new JinjaException("the name of a test is a string")
            : null;
        var rest = given.Skip(used + 1);
        foreach (var item in Iteration.Of(value))
        {
            given.Run.Spend(1);
            var judged = path.Get(item);
            if ((test is null ? Truth.Of(judged) : Tests.Apply(test, judged, rest)) == keeps)
                yield return item;
        }
    }
}
