namespace OrtPeft.Tokenizers.Chat.Jinja.Runtime;

/// <summary>A function that comes with the language, or a method bound to its value.</summary>
internal sealed class Function(string name, string display, Func<Arguments, object?> body) : ICallable
{
    /// <summary>A function whose arguments are bound to parameters.</summary>
    public Function(string name, string parameters, string display, Func<Bound, object?> body)
        : this(name, display, Binding(name, parameters, body))
    {
    }

    public string Name => name;

    /// <summary>How Python would print it, but for the address that no two runs have in common.</summary>
    public string Display => display;

    public object? Call(Arguments arguments) => body(arguments);

    private static Func<Arguments, object?> Binding(string name, string parameters, Func<Bound, object?> body)
    {
        var signature = new Signature(name, parameters);
        return arguments => body(signature.Bind(arguments));
    }
}
