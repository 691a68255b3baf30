namespace OrtPeft.Tokenizers.Chat.Jinja.Values;

/// <summary>
/// A variable, attribute or item that is not there. It prints as nothing, is false and empty; anything else that is
/// done with it fails.
/// </summary>
internal sealed class Undefined(string message)
{
    public static Undefined OfName(string name) => new($"{PythonText.Repr(name)} is undefined");

    public static Undefined OfMember(object? target, object? member)
    {
        var of = target is null ? "None" : $"{TypeNames.Of(target)} object";
        return member is string name
            ? new($"'{of}' has no attribute {PythonText.Repr(name)}")
            : new($"{of} has no element {Display.ShortRepr(member)}");
    }

    public static Undefined Unsafe(object? target, string name) =>
        new($"access to attribute {PythonText.Repr(name)} of '{TypeNames.Of(target)}' object is unsafe.");

    public JinjaException Error() => new(message);
}
