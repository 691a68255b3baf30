using OrtPeft.Tokenizers.Chat.Jinja.Runtime;

namespace OrtPeft.Tokenizers.Chat.Jinja.Library;

/// <summary>A row of the tables of filters: its name, what it does with a value and the arguments after it.</summary>
internal sealed class Filter(string name, Func<object?, Arguments, object?> body)
{
    /// <summary>A filter whose arguments, the value first, are bound to parameters.</summary>
    public Filter(string name, string parameters, Func<Bound, object?> body)
        : this(name, Binding(name, parameters, body))
    {
    }

    public string Name => name;

    /// <summary>A filter of Jinja that is not here.</summary>
    public static Filter Unsupported(string name) =>
        new(name, (_, _) => throw new JinjaException($"the filter '{name}' is not supported"));

    public object? Apply(object? value, Arguments arguments) => body(value, arguments);

    private static Func<object?, Arguments, object?> Binding(
        string name, string parameters, Func<Bound, object?> body)
    {
        var signature = new Signature(name, parameters);
        return (value, arguments) =>
        {
            var all = arguments.Skip(0);
            all.Positional.Insert(0, value);
            return body(signature.Bind(all));
        };
    }
}
