using System.Numerics;
using OrtPeft.Tokenizers.Chat.Jinja.Library;
using OrtPeft.Tokenizers.Chat.Jinja.Runtime;

namespace OrtPeft.Tokenizers.Chat.Jinja.Values;

/// <summary>Python's name for the type of a value.</summary>
internal static class TypeNames
{
    public static string Of(object? value) => value switch
    {
        null => "NoneType",
        bool => "bool",
        BigInteger => "int",
        double => "float",
        string => "str",
        Markup => "Markup",
        PyList => "list",
        PyTuple => "tuple",
        PyDict => "dict",
        PyRange => "range",
        PyView view => view.Type,
        PyIterator iterator => iterator.Type,
        Undefined => "Undefined",
        Namespace => "Namespace",
        LoopContext => "LoopContext",
        Macro => "Macro",
        Function => "function",
        Cycler => "Cycler",
        Joiner => "Joiner",
        _ => "object",
    };
}
