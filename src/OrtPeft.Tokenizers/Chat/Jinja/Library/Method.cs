using OrtPeft.Tokenizers.Chat.Jinja.Runtime;

namespace OrtPeft.Tokenizers.Chat.Jinja.Library;

/// <summary>A row of the tables of methods: its name, and what it does with its object and the arguments.</summary>
internal sealed class Method<T>(string name, Func<T, Arguments, object?> body)
{
    /// <summary>A method whose arguments are bound to parameters.</summary>
    public Method(string name, string parameters, Func<T, Bound, object?> body)
        : this(name, Binding(name, parameters, body))
    {
    }

    public string Name => name;

    /// <summary>A method of Python's that is not here: to leave it out would make it undefined in silence.</summary>
    public static Method<T> Unsupported(string name) =>
        new(name, (_, _) => throw new JinjaException($"the method '{name}' is not supported"));

    public Function Bind(T self) =>
        new(name, $"<built-in method {name}>", arguments => body(self, arguments));

    private static Func<T, Arguments, object?> Binding(string name, string parameters, Func<T, Bound, object?> body)
    {
        var signature = new Signature(name, parameters);
        return (self, arguments) => body(self, signature.Bind(arguments));
    }
}
