using OrtPeft.Tokenizers.Chat.Jinja.Library;
using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat.Jinja.Runtime;

/// <summary>Attributes and items within the sandbox; what is not there is undefined, not an error.</summary>
internal static class Access
{
    /// <summary><c>value.name</c>: an attribute or method, else the item of that name.</summary>
    public static object? Attribute(object? value, string name)
    {
        if (value is Undefined undefined)
            throw undefined.Error();
        if (TryAttribute(value, name, out var attribute))
            return attribute;
        return TryItem(value, name, out var item) ? item : Undefined.OfMember(value, name);
    }

    /// <summary><c>value[key]</c>: an item, else the attribute of that name.</summary>
    public static object? Item(object? value, object? key)
    {
        if (value is Undefined undefined)
            throw undefined.Error();
        if (TryItem(value, key, out var item))
            return item;
        var hasAttribute = TryAttribute(value, key as string, out var attribute);
        return hasAttribute ? attribute : Undefined.OfMember(value, key);
    }

    /// <summary>Whether there is such an attribute, items aside.</summary>
    public static bool TryAttribute(object? value, string? name, out object? attribute)
    {
        attribute = null;
        if (name is null)
            return false;
        if (IsInternal(name) || Methods.Modifies(value, name))
        {
            attribute = Undefined.Unsafe(value, name);
            return true;
        }

        return value is IAttributes own && own.TryGet(name, out attribute)
            || Methods.TryBind(value, name, out attribute);
    }

    /// <summary>Names that every Python object has for itself; other names with underscores may be keys.</summary>
    private static bool IsInternal(string name) => name.Length > 4
        && name.StartsWith("__", StringComparison.Ordinal)
        && name.EndsWith("__", StringComparison.Ordinal);

    private static bool TryItem(object? value, object? key, out object? item)
    {
        item = null;
        switch (value)
        {
            case PyDict dict:
                return PyDict.IsHashable(key) && dict.TryGet(key, out item);
            case string or Markup or PyList or PyTuple or PyRange when Whole.TryOf(key, out var index):
                return Sequences.TryAt(value, index, out item);
            default:
                return false;
        }
    }
}
