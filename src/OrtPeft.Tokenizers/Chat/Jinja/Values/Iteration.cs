using OrtPeft.Tokenizers.Chat.Jinja.Runtime;

namespace OrtPeft.Tokenizers.Chat.Jinja.Values;

/// <summary>The elements that iterating over a value yields: a dict's keys, a text's characters as code points.</summary>
internal static class Iteration
{
    public static IEnumerable<object?> Of(object? value, string message = "'{0}' object is not iterable") =>
        TryOf(value) ?? throw new JinjaException(string.Format(null, message, TypeNames.Of(value)));

    public static bool IsPossible(object? value) => value is LoopContext || TryOf(value) is not null;

    private static IEnumerable<object?>? TryOf(object? value) => value switch
    {
        string text => PythonText.Characters(text),
        Markup markup => PythonText.Characters(markup.Text),
        PyList list => list.Items,
        PyTuple tuple => tuple.Items,
        PyDict dict => dict.Keys,
        PyRange range => range.Items,
        PyView view => view.Items.Items,
        PyIterator iterator => iterator.Rest(),
        Undefined => [],
        _ => null,
    };
}
