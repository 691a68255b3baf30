using OrtPeft.Tokenizers.Chat.Jinja.Runtime;

namespace OrtPeft.Tokenizers.Chat.Jinja.Values;

/// <summary>Variables that a loop can change from within: <c>namespace(n=0)</c>.</summary>
internal sealed class Namespace : IAttributes
{
    public PyDict Values { get; } = new();

    public void Set(string name, object? value)
    {
        if (name.StartsWith('_'))
        {
            throw new JinjaException(
                "Chat templates cannot store underscore-prefixed attributes on a namespace, but got "
                + $"{PythonText.Repr(name)}. Please rename the attribute.");
        }

        Values.Set(name, value);
    }

    public bool TryGet(string name, out object? value) => Values.TryGet(name, out value);
}
