namespace OrtPeft.Onnx;

/// <summary>
/// The names that a graph has given: no two of its values share one. It also remembers its nodes' names, so that fresh
/// ones are free for both.
/// </summary>
/// <param name="graph">The graph, whose surroundings count where a name must be free.</param>
internal sealed class GraphNames(Graph graph)
{
    private readonly Dictionary<string, Value> _values = new(StringComparer.Ordinal);
    private readonly HashSet<string> _nodes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _suffixes = new(StringComparer.Ordinal);

    /// <summary>Every named value.</summary>
    public IReadOnlyCollection<Value> Values => _values.Values;

    /// <summary>The value of a name in this graph alone, or null.</summary>
    public Value? Find(string name) => _values.GetValueOrDefault(name);

    /// <summary>The hint where it is free, else the hint with a number.</summary>
    public string Fresh(string hint)
    {
        if (hint.Length > 0 && IsFree(hint))
            return hint;
        while (true)
        {
            var number = _suffixes[hint] = _suffixes.GetValueOrDefault(hint) + 1;
            var name = $"{hint}_{number}";
            if (IsFree(name))
                return name;
        }
    }

    /// <summary>Notes a value.</summary>
    /// <exception cref="GraphException">It has no name, or that of another.</exception>
    public void Add(Value value)
    {
        if (value.Name.Length == 0)
            throw new GraphException($"A value of graph '{graph.Name}' has an empty name.");
        if (!_values.TryAdd(value.Name, value))
            throw Taken(value.Name);
    }

    /// <summary>Notes a node's name, which need not be its own.</summary>
    public void AddNode(string name) => _nodes.Add(name);

    /// <summary>Gives a value another name.</summary>
    /// <exception cref="GraphException">The name is empty or in use.</exception>
    public void Rename(Value value, string name)
    {
        if (value.Name == name)
            return;
        if (name.Length == 0)
            throw new GraphException($"'{value.Name}' cannot lose its name.");
        if (graph.Find(name) is not null)
            throw Taken(name);
        _values.Remove(value.Name);
        value.Name = name;
        _values.Add(name, value);
    }

    /// <summary>Frees a value's name; outputs that are left out have none.</summary>
    public void Remove(Value value)
    {
        if (value.Name.Length > 0)
            _values.Remove(value.Name);
    }

    private bool IsFree(string name) => graph.Find(name) is null && !_nodes.Contains(name);

    private GraphException Taken(string name) => new($"The name '{name}' is already in use in graph '{graph.Name}'.");
}
