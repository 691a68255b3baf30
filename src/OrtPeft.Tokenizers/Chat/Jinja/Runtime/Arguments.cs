using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat.Jinja.Runtime;

/// <summary>The arguments of one call, evaluated, with the scope of the call.</summary>
internal sealed class Arguments(Scope scope)
{
    private readonly List<KeyValuePair<string, object?>> _named = [];

    public Scope Scope => scope;

    public Rendering Run => scope.Run;

    public List<object?> Positional { get; init; } = [];

    public IReadOnlyList<KeyValuePair<string, object?>> Named => _named;

    public void AddNamed(string name, object? value)
    {
        if (_named.Any(n => n.Key == name))
            throw new JinjaException($"got multiple values for keyword argument '{name}'");
        _named.Add(new(name, value));
    }

    /// <summary>The value of a named argument, which is then no longer among <see cref="Named"/>.</summary>
    public bool TryTake(string name, out object? value)
    {
        var index = _named.FindIndex(n => n.Key == name);
        value = index < 0 ? null : _named[index].Value;
        if (index >= 0)
            _named.RemoveAt(index);
        return index >= 0;
    }

    /// <summary>The same without the first arguments, for filters that hand the rest on.</summary>
    public Arguments Skip(int count)
    {
        var rest = new Arguments(scope) { Positional = [.. Positional.Skip(count)] };
        rest._named.AddRange(_named);
        return rest;
    }

    public PyDict NamedAsDict()
    {
        var dict = new PyDict();
        foreach (var (name, value) in _named)
            dict.Set(name, value);
        return dict;
    }
}
