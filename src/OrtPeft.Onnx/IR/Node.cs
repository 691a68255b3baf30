namespace OrtPeft.Onnx;

/// <summary>
/// One operator application. Inputs may be null where an optional input is left out; outputs left out have an empty
/// name.
/// Compared by reference; not thread-safe while edited.
/// </summary>
public sealed class Node
{
    private readonly List<Value?> _inputs = [];
    private readonly List<Value> _outputs = [];

    internal Node(string opType, string domain, string name)
    {
        Attributes = new AttributeMap(this);
        OpType = opType;
        Domain = domain == "ai.onnx" ? "" : domain;
        Name = name;
    }

    /// <summary>The operator, such as <c>MatMul</c>.</summary>
    public string OpType { get; }

    /// <summary>The operator's domain; empty for the ONNX standard, which <c>ai.onnx</c> also names.</summary>
    public string Domain { get; }

    /// <summary>The node's name, often its scope in the source model; may be empty and need not be unique.</summary>
    public string Name { get; set; }

    /// <summary>The graph that holds the node, or null before it is added and after it is removed.</summary>
    public Graph? Graph { get; internal set; }

    /// <summary>The node's inputs; change one with <see cref="SetInput"/>.</summary>
    public IReadOnlyList<Value?> Inputs => _inputs;

    /// <summary>The node's outputs.</summary>
    public IReadOnlyList<Value> Outputs => _outputs;

    /// <summary>The node's constants.</summary>
    public AttributeMap Attributes { get; }

    /// <summary>The first output, of the many operators that have just one.</summary>
    /// <exception cref="GraphException">The node makes nothing.</exception>
    public Value Output => _outputs.Count > 0 ? _outputs[0] : throw new GraphException($"{this} has no output.");

    /// <summary>The subgraphs in the node's attributes.</summary>
    public IEnumerable<Graph> Subgraphs => Attributes.SelectMany(static a => a.Graphs);

    /// <summary>The path in the source model of the module that the exporter noted for the node, or null.</summary>
    internal string? SourcePath { get; init; }

    /// <summary>Fields of the file's node that have no member here, as protobuf bytes.</summary>
    internal ReadOnlyMemory<byte> Unmodelled { get; set; }

    /// <summary>Operator and name, for messages about a node that has no outputs yet.</summary>
    internal string Label => Name.Length > 0 ? ToString() : OpType;

    /// <summary>Whether this is the given operator of the ONNX standard.</summary>
    /// <param name="opType">The operator.</param>
    /// <returns>True when operator and standard domain match.</returns>
    public bool Is(string opType) => Domain.Length == 0 && OpType == opType;

    /// <summary>An input, or null when it is left out or beyond the list.</summary>
    /// <param name="index">From 0.</param>
    /// <returns>The value read there.</returns>
    public Value? Input(int index) => index < _inputs.Count ? _inputs[index] : null;

    /// <summary>
    /// Makes the node read another value at one place. The list grows with omitted inputs when needed.
    /// </summary>
    /// <param name="index">Which input, from 0.</param>
    /// <param name="value">The new value, or null to leave the input out.</param>
    /// <exception cref="GraphException">The value belongs to neither the node's graph nor one around it.</exception>
    public void SetInput(int index, Value? value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        if (value is not null && Graph?.CanRead(value) == false)
            throw new GraphException($"{this} cannot read '{value.Name}': it is not of its graph or one around it.");
        while (_inputs.Count <= index)
            _inputs.Add(null);
        _inputs[index]?.RemoveUse(this, index);
        _inputs[index] = value;
        value?.AddUse(this, index);
    }

    /// <summary>Operator and name, for messages.</summary>
    /// <returns>Such as <c>MatMul "/lm_head/MatMul"</c>, or with the first output where the node has no name.</returns>
    public override string ToString()
    {
        var op = Domain.Length == 0 ? OpType : $"{Domain}.{OpType}";
        return Name.Length > 0 ? $"{op} \"{Name}\"" : $"{op} (makes \"{_outputs.FirstOrDefault()?.Name}\")";
    }

    /// <summary>Puts another value in a place whose old value has given the use up.</summary>
    internal void Reread(int index, Value value)
    {
        _inputs[index] = value;
        value.AddUse(this, index);
    }

    internal void AddOutput(Value value)
    {
        value.Producer = this;
        value.OutputIndex = _outputs.Count;
        _outputs.Add(value);
    }

    internal void ClearInputs()
    {
        for (var i = 0; i < _inputs.Count; i++)
            _inputs[i]?.RemoveUse(this, i);
        _inputs.Clear();
    }
}
