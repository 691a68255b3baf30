using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx;

/// <summary>
/// Nodes in execution order, with inputs, outputs and constants. Every edit is a verb that keeps names unique and
/// def-use links right; an edit that would break them throws and changes nothing. Compared by reference; not
/// thread-safe.
/// </summary>
public sealed class Graph
{
    private readonly OrderedMembers<Node> _nodes = [];
    private readonly OrderedMembers<Value> _inputs = [];
    private readonly List<Value> _outputs = [];
    private readonly OrderedMembers<Value> _initializers = [];
    private readonly GraphNames _names;

    /// <summary>Creates an empty graph.</summary>
    /// <param name="name">The graph's name; need not be unique.</param>
    /// <param name="parent">The graph whose values a subgraph may read, or null for a main graph.</param>
    public Graph(string name, Graph? parent = null)
    {
        Name = name;
        Parent = parent;
        _names = new GraphNames(this);
    }

    /// <summary>The graph's name.</summary>
    public string Name { get; }

    /// <summary>The surrounding graph of a subgraph, or null.</summary>
    public Graph? Parent { get; }

    /// <summary>The node whose attribute a subgraph is, or was last; null for a main graph.</summary>
    public Node? Holder { get; internal set; }

    /// <summary>
    /// The nodes in execution order. An iterator is invalid after an edit: copy the list before editing in a loop. An
    /// index costs a copy of the list after an edit, but for the first and the last node.
    /// </summary>
    public IReadOnlyList<Node> Nodes => _nodes;

    /// <summary>How many times a node has come or gone: it tells whether an edit has done anything.</summary>
    public int NodeChanges { get; private set; }

    /// <summary>The inputs that are fed, in order.</summary>
    public IReadOnlyList<Value> Inputs => _inputs;

    /// <summary>The results, in order.</summary>
    public IReadOnlyList<Value> Outputs => _outputs;

    /// <summary>The constants, in order; one that is also an input is a default that the caller may override.</summary>
    public IReadOnlyList<Value> Initializers => _initializers;

    /// <summary>
    /// The family that the graph was built for, where something beside it tells that: <c>type</c> in
    /// <c>genai_config.json</c> or <c>model_type</c> in <c>config.json</c>. Set in canonical form; not saved.
    /// </summary>
    internal string? Family { get; set; }

    /// <summary>Every named value of this graph (not of subgraphs).</summary>
    public IReadOnlyCollection<Value> Values => _names.Values;

    /// <summary>Fields of the file's graph that have no member here, as protobuf bytes.</summary>
    internal ReadOnlyMemory<byte> Unmodelled { get; set; }

    /// <summary>Looks a value up by name, in this graph and then in those around it.</summary>
    /// <param name="name">The name.</param>
    /// <returns>The value, or null.</returns>
    public Value? Find(string name) => _names.Find(name) ?? Parent?.Find(name);

    /// <summary>
    /// A name that no value of this graph or of those around it has, and that no node added to this graph had: it can
    /// name a value and its node alike. ONNX Runtime refuses two nodes of one name.
    /// </summary>
    /// <param name="hint">What the name should look like; taken as it is when free.</param>
    /// <returns>The hint, or the hint with a number.</returns>
    public string FreshName(string hint) => _names.Fresh(hint);

    /// <summary>Adds an input at the end of the inputs.</summary>
    /// <param name="name">Its name, not yet in use.</param>
    /// <param name="type">The element type.</param>
    /// <param name="shape">The axes, or null.</param>
    /// <returns>The new value.</returns>
    /// <exception cref="GraphException">The name is in use.</exception>
    public Value AddInput(string name, ElementType type, Shape? shape)
    {
        var value = Register(new Value(name, type, shape));
        value.IsGraphInput = true;
        _inputs.Add(value);
        return value;
    }

    /// <summary>Puts the inputs into another order.</summary>
    /// <param name="order">Every input once.</param>
    /// <exception cref="GraphException">An input is missing, is given twice, or is of another graph.</exception>
    public void OrderInputs(IEnumerable<Value> order)
    {
        var values = order.ToArray();
        if (values.Length != _inputs.Count || !values.ToHashSet().SetEquals(_inputs))
            throw new GraphException($"Graph '{Name}' has {_inputs.Count} inputs; the new order must name each once.");
        _inputs.Set(values);
    }

    /// <summary>Adds a constant.</summary>
    /// <param name="name">Its name, not yet in use.</param>
    /// <param name="content">Its content.</param>
    /// <returns>The new value.</returns>
    /// <exception cref="GraphException">The name is in use.</exception>
    public Value AddInitializer(string name, Tensor content)
    {
        ArgumentNullException.ThrowIfNull(content);
        var value = Register(new Value(name, content.Type, content.Shape));
        value.Initializer = content;
        _initializers.Add(value);
        return value;
    }

    /// <summary>
    /// Gives a constant other content, or gives an input a default; type and shape follow the content, but an input keeps
    /// axes that admit more than its default.
    /// </summary>
    /// <param name="value">An initializer or an input of this graph.</param>
    /// <param name="content">The new content.</param>
    /// <exception cref="GraphException">A node makes the value.</exception>
    public void SetInitializer(Value value, Tensor content)
    {
        ArgumentNullException.ThrowIfNull(content);
        Own(value);
        if (value.Producer is not null)
            throw new GraphException($"'{value.Name}' is made by {value.Producer}; it cannot be constant too.");
        if (value.Initializer is null)
            _initializers.Add(value);
        value.Initializer = content;
        value.Type = content.Type;
        if (!value.IsGraphInput || value.Shape?.Admits(content.Shape) != true)
            value.Shape = content.Shape;
    }

    /// <summary>Turns a constant into an input that must be fed.</summary>
    /// <param name="value">An initializer of this graph.</param>
    /// <exception cref="GraphException">The value is not an initializer.</exception>
    public void TurnIntoInput(Value value)
    {
        Own(value);
        if (value.Initializer is null)
            throw new GraphException($"'{value.Name}' is not an initializer of graph '{Name}'.");
        value.Initializer = null;
        _initializers.Remove(value);
        if (value.IsGraphInput)
            return;
        value.IsGraphInput = true;
        _inputs.Add(value);
    }

    /// <summary>Takes an input with a default off the inputs, so that the default always holds.</summary>
    /// <param name="value">An input of this graph.</param>
    /// <exception cref="GraphException">The value has no default.</exception>
    public void TurnIntoConstant(Value value)
    {
        Own(value);
        if (value.Initializer is null)
            throw new GraphException($"'{value.Name}' is not an initializer of graph '{Name}'.");
        value.IsGraphInput = false;
        value.Shape = value.Initializer.Shape;
        _inputs.Remove(value);
    }

    /// <summary>Adds a value of this graph, or one around it, to the results.</summary>
    /// <param name="value">The value.</param>
    /// <exception cref="GraphException">The value belongs to another graph.</exception>
    public void AddOutput(Value value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (!CanRead(value))
            throw new GraphException($"'{value.Name}' does not belong to graph '{Name}' or one around it.");
        value.AddResult(this);
        _outputs.Add(value);
    }

    /// <summary>Takes a value off the results; what makes it stays.</summary>
    /// <param name="value">The value.</param>
    public void RemoveOutput(Value value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (!_outputs.Remove(value))
            throw new GraphException($"'{value.Name}' is not an output of graph '{Name}'.");
        value.RemoveResult(this);
    }

    /// <summary>Creates a node that is in no graph yet, with outputs named after a hint.</summary>
    /// <param name="opType">The operator.</param>
    /// <param name="inputs">What it reads; null leaves an optional input out.</param>
    /// <param name="outputs">The outputs' names; empty leaves an optional output out.</param>
    /// <param name="attributes">Its constants.</param>
    /// <param name="domain">The operator's domain; empty for the standard.</param>
    /// <param name="name">The node's name.</param>
    /// <param name="before">The node to insert before, or null to append.</param>
    /// <returns>The new node, in the graph.</returns>
    /// <exception cref="GraphException">An output name is in use.</exception>
    public Node AddNode(
        string opType,
        IEnumerable<Value?> inputs,
        IEnumerable<string> outputs,
        IEnumerable<NodeAttribute>? attributes = null,
        string domain = "",
        string name = "",
        Node? before = null) =>
        Insert(new Node(opType, domain, name), inputs, outputs, attributes ?? [], before);

    /// <summary>Makes a node give one more of its optional outputs.</summary>
    /// <param name="node">A node of this graph.</param>
    /// <param name="hint">What the output's name should look like.</param>
    /// <returns>The new output.</returns>
    public Value AddNodeOutput(Node node, string hint)
    {
        Own(node);
        return AddNamedOutput(node, FreshName(hint));
    }

    /// <summary>
    /// The first node that reads a value, itself or in a subgraph: what all readers need goes before it. Costs one look
    /// at each reader.
    /// </summary>
    /// <param name="value">A value of this graph.</param>
    /// <returns>The node of this graph, or null when no node reads the value.</returns>
    /// <exception cref="GraphException">The value belongs to another graph.</exception>
    public Node? FirstReader(Value value)
    {
        Own(value);
        Node? first = null;
        var inner = value.ResultOf.Where(g => g != this).Select(static g => g.Holder);
        foreach (var reader in value.Uses.Select(static u => u.Node).Concat(inner).Select(InThis).OfType<Node>())
            first = first is null || _nodes.IsBefore(reader, first) ? reader : first;
        return first;
    }

    /// <summary>Takes a node out. Its outputs must have no readers left.</summary>
    /// <param name="node">A node of this graph.</param>
    /// <exception cref="GraphException">An output is still read or is a result of the graph.</exception>
    public void Remove(Node node)
    {
        Own(node);
        if (node.Outputs.FirstOrDefault(static o => o.Uses.Count > 0 || o.IsGraphOutput) is { } used)
            throw new GraphException($"{node} cannot be removed: '{used.Name}' is still used.");
        foreach (var attribute in node.Attributes)
            foreach (var graph in attribute.Graphs)
                graph.Unlink();
        node.ClearInputs();
        node.Graph = null;
        _nodes.Remove(node);
        NodeChanges++;
        foreach (var output in node.Outputs)
            Forget(output);
    }

    /// <summary>Takes an unread input or constant out.</summary>
    /// <param name="value">An input or initializer of this graph.</param>
    /// <exception cref="GraphException">The value is still read.</exception>
    public void Remove(Value value)
    {
        Own(value);
        if (value.Uses.Count > 0 || value.IsGraphOutput || value.Producer is not null)
            throw new GraphException($"'{value.Name}' cannot be removed: it is still used.");
        _inputs.Remove(value);
        _initializers.Remove(value);
        value.IsGraphInput = false;
        Forget(value);
    }

    /// <summary>Makes every reader of one value read another, graph results included; both keep their names.</summary>
    /// <param name="value">The value that is read now.</param>
    /// <param name="replacement">The value to read instead; must come before the readers in execution order.</param>
    /// <param name="except">Readers that go on reading the old value, such as the replacement's own chain.</param>
    /// <exception cref="GraphException">A value belongs to another graph.</exception>
    public void ReplaceAllUsesWith(Value value, Value replacement, params ReadOnlySpan<Node> except)
    {
        ArgumentNullException.ThrowIfNull(replacement);
        Own(value);
        if (!CanRead(replacement))
            throw new GraphException($"'{replacement.Name}' does not belong to graph '{Name}' or one around it.");
        foreach (var use in value.TakeUses(except))
            use.Node.Reread(use.Index, replacement);
        foreach (var graph in value.ResultOf.ToArray())
            graph.ReplaceOutput(value, replacement);
    }

    /// <summary>Gives a value another name.</summary>
    /// <param name="value">A value of this graph.</param>
    /// <param name="name">The new name, not in use.</param>
    /// <exception cref="GraphException">The name is in use.</exception>
    public void Rename(Value value, string name)
    {
        Own(value);
        _names.Rename(value, name);
    }

    /// <summary>Puts the nodes in execution order: producers first, otherwise as they stand.</summary>
    /// <exception cref="GraphException">The nodes form a cycle; the message names one of its nodes.</exception>
    public void SortTopologically()
    {
        _nodes.Set(TopologicalOrder.Of(this));
    }

    /// <summary>Removes nodes whose results nobody reads, then constants that nobody reads.</summary>
    public void RemoveDeadCode()
    {
        for (Node? node = _nodes.Last, earlier; node is not null; node = earlier)
        {
            earlier = _nodes.Before(node);
            if (node.Outputs.All(static o => o.Uses.Count == 0 && !o.IsGraphOutput))
                Remove(node);
        }

        foreach (var value in _initializers.ToArray())
        {
            if (value.Uses.Count == 0 && !value.IsGraphOutput && !value.IsGraphInput)
                Remove(value);
        }
    }

    internal Node Insert(
        Node node,
        IEnumerable<Value?> inputs,
        IEnumerable<string> outputs,
        IEnumerable<NodeAttribute> attributes,
        Node? before = null)
    {
        var names = outputs.ToArray();
        var values = inputs.ToArray();
        if (names.FirstOrDefault(n => n.Length > 0 && _names.Find(n) is not null) is { } taken)
            throw new GraphException($"{node.Label}: the name '{taken}' is already in use in graph '{Name}'.");
        var named = names.Where(static n => n.Length > 0).CountBy(static n => n);
        if (named.FirstOrDefault(static n => n.Value > 1).Key is { } twice)
            throw new GraphException($"{node.Label}: two outputs are named '{twice}'.");
        if (values.FirstOrDefault(v => v is not null && !CanRead(v)) is { } foreign)
            throw new GraphException($"{node.Label}: '{foreign.Name}' is not of graph '{Name}' or one around it.");
        if (before is not null && !_nodes.Contains(before))
            throw new GraphException($"{before} is not in graph '{Name}'.");
        var constants = attributes.ToArray();
        if (constants.CountBy(static a => a.Name).FirstOrDefault(static a => a.Value > 1).Key is { } again)
            throw new GraphException($"{node.Label}: the attribute '{again}' is given twice.");
        AttributeMap.RequireSubgraphs(node, this, constants.SelectMany(static a => a.Graphs));
        foreach (var attribute in constants)
            node.Attributes.Add(attribute);
        foreach (var name in names)
            node.AddOutput(name.Length == 0 ? new Value(name) : Register(new Value(name)));
        foreach (var (i, input) in values.Index())
            node.SetInput(i, input);
        node.Graph = this;
        if (before is null)
            _nodes.Add(node);
        else
            _nodes.Insert(node, before);
        _names.AddNode(node.Name);
        NodeChanges++;
        return node;
    }

    internal Value AddNamedOutput(Node node, string name)
    {
        var value = Register(new Value(name));
        node.AddOutput(value);
        return value;
    }

    /// <summary>Whether nodes of this graph may read a value: one of this graph or of one around it.</summary>
    internal bool CanRead(Value value)
    {
        for (var graph = this; graph is not null; graph = graph.Parent)
        {
            if (value.Graph == graph)
                return true;
        }

        return false;
    }

    /// <summary>Takes the graph's reads of outer values back; for a subgraph whose node goes.</summary>
    internal void Unlink()
    {
        foreach (var node in _nodes)
        {
            node.ClearInputs();
            foreach (var graph in node.Subgraphs)
                graph.Unlink();
        }

        foreach (var outer in _outputs.Where(o => o.Graph != this).ToArray())
            RemoveOutput(outer);
    }

    private void ReplaceOutput(Value value, Value replacement)
    {
        _outputs[_outputs.IndexOf(value)] = replacement;
        value.RemoveResult(this);
        replacement.AddResult(this);
    }

    /// <summary>The node of this graph that a node is or is in; null where its subgraph has no node yet.</summary>
    private Node? InThis(Node? node)
    {
        while (node is not null && node.Graph != this)
            node = node.Graph?.Holder;
        return node;
    }

    private Value Register(Value value)
    {
        _names.Add(value);
        value.Graph = this;
        return value;
    }

    private void Forget(Value value)
    {
        _names.Remove(value);
        value.Graph = null;
    }

    private void Own(Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
        if (node.Graph != this)
            throw new GraphException($"{node} is not in graph '{Name}'.");
    }

    private void Own(Value value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (value.Graph != this)
            throw new GraphException($"'{value.Name}' does not belong to graph '{Name}'.");
    }
}
