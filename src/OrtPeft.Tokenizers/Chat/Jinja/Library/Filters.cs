using System.Collections.Frozen;
using OrtPeft.Tokenizers.Chat.Jinja.Runtime;
using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat.Jinja.Library;

/// <summary>All filters by name.</summary>
internal static class Filters
{
    /// <summary>Those that print addresses, draw at random or lay out text; no chat template needs them.</summary>
    private static readonly string[] Missing = ["pprint", "random", "urlize", "wordwrap", "xmlattr"];

    private static readonly FrozenDictionary<string, Filter> All = TextFilters.Rows
        .Concat(NumberFilters.Rows)
        .Concat(SequenceFilters.Rows)
        .Concat(OrderFilters.Rows)
        .Concat(SelectionFilters.Rows)
        .Concat(Missing.Select(Filter.Unsupported))
        .ToFrozenDictionary(static row => row.Name, StringComparer.Ordinal);

    public static bool Knows(string name) => All.ContainsKey(name);

    public static object? Apply(string name, object? value, Arguments arguments)
    {
        if (!All.TryGetValue(name, out var filter))
            throw new JinjaException($"No filter named {PythonText.Repr(name)}.");
        var result = filter.Apply(value, arguments);
        arguments.Run.Spend(Sizes.Of(result));
        return result;
    }
}
