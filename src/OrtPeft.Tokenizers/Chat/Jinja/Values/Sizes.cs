using OrtPeft.Tokenizers.Chat.Jinja.Runtime;

namespace OrtPeft.Tokenizers.Chat.Jinja.Values;

/// <summary>How large values are.</summary>
internal static class Sizes
{
    /// <summary>Python's <c>len()</c>, texts in code points; null where a value has none.</summary>
    public static int? Count(object? value) => value switch
    {
        string text => PythonText.Length(text),
        Markup markup => PythonText.Length(markup.Text),
        PyList list => list.Items.Count,
        PyTuple tuple => tuple.Items.Count,
        PyDict dict => dict.Count,
        PyRange range => range.Count,
        PyView view => view.Items.Items.Count,
        LoopContext loop => (int)loop.Length,
        Undefined => 0,
        _ => null,
    };

    public static int Length(object? value) =>
        Count(value) ?? throw new JinjaException($"object of type '{TypeNames.Of(value)}' has no len()");

    /// <summary>The cost of making a value: its characters or items.</summary>
    public static long Of(object? value) => value switch
    {
        string text => text.Length,
        PyList list => list.Items.Count,
        PyTuple tuple => tuple.Items.Count,
        System.Numerics.BigInteger whole => whole.GetByteCount(),
        _ => 0,
    };
}
