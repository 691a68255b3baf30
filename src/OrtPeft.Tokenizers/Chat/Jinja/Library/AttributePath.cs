using System.Globalization;
using System.Numerics;
using OrtPeft.Tokenizers.Chat.Jinja.Runtime;
using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat.Jinja.Library;

/// <summary>The <c>attribute</c> of a filter: <c>name</c>, <c>address.city</c>, <c>tags.0</c>, or a number.</summary>
internal sealed class AttributePath
{
    private readonly object?[] _parts;
    private readonly object? _default;

    private AttributePath(object?[] parts, object? otherwise) => (_parts, _default) = (parts, otherwise);

    /// <param name="attribute">The argument; none is the item itself.</param>
    /// <param name="otherwise">What stands for an attribute that is not there; null leaves it undefined.</param>
    public static AttributePath Of(object? attribute, object? otherwise = null) => new(attribute switch
    {
        null => [],
        string text => [.. text.Split('.').Select(Part)],
        _ => [attribute],
    }, otherwise);

    /// <summary>Several paths, with commas between, as <c>sort</c> takes them.</summary>
    public static AttributePath[] Several(object? attribute) => attribute is string text
        ? [.. text.Split(',').Select(static part => Of(part))]
        : [Of(attribute)];

    public object? Get(object? item)
    {
        foreach (var part in _parts)
        {
            item = Access.Item(item, part);
            if (item is Undefined && _default is not null)
                item = _default;
        }

        return item;
    }

    private static object Part(string part) => part.Length is > 0 and < 10 && part.All(char.IsAsciiDigit)
        ? BigInteger.Parse(part, CultureInfo.InvariantCulture)
        : part;
}
