namespace OrtPeft.Adapters.Several;

/// <summary>A model's adapters by name, in the order in which they were added; at least one.</summary>
internal sealed class AdapterSet
{
    private readonly OrderedDictionary<string, Adapter> _adapters = new(StringComparer.Ordinal);

    public AdapterSet(Adapter first) => _adapters.Add(first.Name, first);

    public IReadOnlyList<Adapter> All => [.. _adapters.Values];

    /// <summary>An adapter.</summary>
    /// <exception cref="ConfigException">There is none of this name.</exception>
    public Adapter this[string name]
    {
        get
        {
            ArgumentNullException.ThrowIfNull(name);
            return _adapters.TryGetValue(name, out var adapter) ? adapter : throw new ConfigException(
                $"There is no adapter '{name}'; the model has {string.Join(", ", _adapters.Keys)}.");
        }
    }

    /// <summary>Some adapters, at least one, each once.</summary>
    /// <exception cref="ConfigException">There is none of a name, or the names cannot be chosen.</exception>
    public IReadOnlyList<Adapter> Of(IReadOnlyList<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        if (names.Count == 0 || names.Distinct(StringComparer.Ordinal).Count() < names.Count)
            throw new ConfigException(
                $"The adapters to choose are [{string.Join(", ", names)}]; name at least one, and each once.");
        return [.. names.Select(name => this[name])];
    }

    /// <summary>Adds an adapter, made once its name is known to be good.</summary>
    /// <exception cref="ConfigException">The name is taken, or no name.</exception>
    public void Add(string name, Func<Adapter> make)
    {
        AdapterNames.Check(name);
        if (_adapters.ContainsKey(name))
            throw new ConfigException($"There is an adapter '{name}' already; delete it, or take another name.");
        _adapters.Add(name, make());
    }

    /// <summary>Forgets an adapter.</summary>
    public void Remove(string name) => _adapters.Remove(name);
}
