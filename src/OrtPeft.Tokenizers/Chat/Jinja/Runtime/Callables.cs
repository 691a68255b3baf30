using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat.Jinja.Runtime;

/// <summary>Calls of any value.</summary>
internal static class Callables
{
    public static object? Call(object? callee, Arguments arguments) => callee switch
    {
        ICallable callable => callable.Call(arguments),
        Undefined undefined => throw undefined.Error(),
        _ => throw new JinjaException($"'{TypeNames.Of(callee)}' object is not callable"),
    };
}
