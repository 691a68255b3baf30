namespace OrtPeft.Tokenizers.Chat.Jinja.Syntax;

/// <summary>
/// The names that the macro bodies being read use: a macro takes further arguments only when its body names
/// <c>varargs</c>, <c>kwargs</c> or <c>caller</c>.
/// </summary>
internal sealed class NamesInUse
{
    private readonly Stack<HashSet<string>> _bodies = new();

    public void Open() => _bodies.Push(new HashSet<string>(StringComparer.Ordinal));

    public IReadOnlySet<string> Close()
    {
        var names = _bodies.Pop();
        if (_bodies.TryPeek(out var outer))
            outer.UnionWith(names);
        return names;
    }

    public void Add(string name)
    {
        if (_bodies.TryPeek(out var body))
            body.Add(name);
    }
}
