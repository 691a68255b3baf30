using System.Collections.Frozen;
using System.Numerics;
using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat.Jinja.Library;

/// <summary>The methods and attributes that values of Python's types have.</summary>
internal static class Methods
{
    private static readonly string[] DictChanges = ["clear", "pop", "popitem", "setdefault", "update"];

    private static readonly string[] ListChanges =
        ["append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove"];

    private static readonly FrozenDictionary<string, Method<string>> OfText = Table(TextMethods.Rows);
    private static readonly FrozenDictionary<string, Method<PyDict>> OfDict = Table(ContainerMethods.DictRows);
    private static readonly FrozenDictionary<string, Method<List<object?>>> OfList = Table(ContainerMethods.ListRows);

    /// <summary>Whether the sandbox refuses the attribute because calling it would change the value.</summary>
    public static bool Modifies(object? value, string name) => value switch
    {
        PyDict => DictChanges.Contains(name),
        PyList => ListChanges.Contains(name),
        _ => false,
    };

    public static bool TryBind(object? value, string name, out object? bound)
    {
        bound = value switch
        {
            string text => OfText.GetValueOrDefault(name)?.Bind(text),
            Markup markup => OfText.TryGetValue(name, out var method) ? MarkupMethod.Bind(markup, method) : null,
            PyDict dict => OfDict.GetValueOrDefault(name)?.Bind(dict),
            PyTuple { IsGroup: true } group when name is "grouper" => group.Items[0],
            PyTuple { IsGroup: true } group when name is "list" => group.Items[1],
            PyList list => OfList.GetValueOrDefault(name)?.Bind(list.Items),
            PyTuple tuple when name is not "copy" => OfList.GetValueOrDefault(name)?.Bind(tuple.Items),
            bool or BigInteger => NumberAttributes.OfWhole(Whole.Of(value), name),
            double number => NumberAttributes.OfFloat(number, name),
            _ => null,
        };
        return bound is not null || (value is PyTuple { IsGroup: true } && name is "grouper");
    }

    private static FrozenDictionary<string, Method<T>> Table<T>(IEnumerable<Method<T>> rows) =>
        rows.ToFrozenDictionary(static row => row.Name, StringComparer.Ordinal);
}
