using System.Numerics;

namespace OrtPeft.Tokenizers.Chat.Jinja.Values;

/// <summary>Items of texts, lists, tuples and ranges by their place, which counts from the end when negative.</summary>
internal static class Sequences
{
    public static bool TryAt(object? sequence, BigInteger index, out object? item)
    {
        item = null;
        var count = Sizes.Length(sequence);
        var place = index.Sign < 0 ? index + count : index;
        if (place.Sign < 0 || place >= count)
            return false;
        item = At(sequence, (int)place);
        return true;
    }

    /// <summary>The item at a place that is there.</summary>
    public static object? At(object? sequence, int place) => sequence switch
    {
        string text => PythonText.At(text, place),
        Markup markup => new Markup(PythonText.At(markup.Text, place)),
        PyList list => list.Items[place],
        PyTuple tuple => tuple.Items[place],
        PyRange range => range[place],
        _ => throw new JinjaException($"'{TypeNames.Of(sequence)}' object is not subscriptable"),
    };
}
