namespace OrtPeft.Tokenizers.Chat.Jinja.Runtime;

/// <summary>Variables of a stretch of a template; what is not here is looked for in the scope around it.</summary>
internal sealed class Scope
{
    private readonly Dictionary<string, object?> _variables = new(StringComparer.Ordinal);
    private readonly Scope? _outer;

    public Scope(Rendering run) => Run = run;

    public Scope(Scope outer)
    {
        _outer = outer;
        Run = outer.Run;
    }

    public Rendering Run { get; }

    /// <summary>The text of the block whose filters are being applied.</summary>
    public string Captured { get; set; } = "";

    public void Set(string name, object? value) => _variables[name] = value;

    public bool TryFind(string name, out object? value)
    {
        for (var scope = this; scope is not null; scope = scope._outer)
        {
            if (scope._variables.TryGetValue(name, out value))
                return true;
        }

        value = null;
        return false;
    }
}
