using System.Collections.ObjectModel;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx;

/// <summary>
/// A node's attributes by name, in file order. A subgraph belongs to one node; when its attribute goes, it reads
/// nothing any more and cannot be used again.
/// </summary>
public sealed class AttributeMap : KeyedCollection<string, NodeAttribute>
{
    private readonly Node _node;

    internal AttributeMap(Node node)
        : base(StringComparer.Ordinal) => _node = node;

    /// <summary>An integer attribute or its default.</summary>
    /// <param name="name">The attribute.</param>
    /// <param name="otherwise">What the operator takes when it is absent.</param>
    /// <returns>The value.</returns>
    /// <exception cref="GraphException">The attribute holds something else.</exception>
    public long Int(string name, long otherwise) => Find(name, AttributeKind.Int)?.AsInt() ?? otherwise;

    /// <summary>A float32 attribute or its default.</summary>
    /// <param name="name">The attribute.</param>
    /// <param name="otherwise">What the operator takes when it is absent.</param>
    /// <returns>The value.</returns>
    /// <exception cref="GraphException">The attribute holds something else.</exception>
    public float Float(string name, float otherwise) => Find(name, AttributeKind.Float)?.AsFloat() ?? otherwise;

    /// <summary>A string attribute or its default.</summary>
    /// <param name="name">The attribute.</param>
    /// <param name="otherwise">What the operator takes when it is absent.</param>
    /// <returns>The value.</returns>
    /// <exception cref="GraphException">The attribute holds something else.</exception>
    public string String(string name, string otherwise) =>
        Find(name, AttributeKind.String)?.AsString() ?? otherwise;

    /// <summary>An integer-list attribute, or null when absent.</summary>
    /// <param name="name">The attribute.</param>
    /// <returns>The values.</returns>
    /// <exception cref="GraphException">The attribute holds something else.</exception>
    public long[]? Ints(string name) => Find(name, AttributeKind.Ints) is { } found ? [.. found.AsInts()] : null;

    /// <summary>Adds an attribute or replaces the one of its name.</summary>
    /// <param name="attribute">The attribute.</param>
    /// <exception cref="GraphException">A subgraph's surrounding graph is not the node's, or the subgraph belongs, or
    /// belonged, to another attribute.</exception>
    public void Set(NodeAttribute attribute)
    {
        ArgumentNullException.ThrowIfNull(attribute);
        if (TryGetValue(attribute.Name, out var old))
            SetItem(IndexOf(old), attribute);
        else
            Add(attribute);
    }

    /// <summary>A list of float32 numbers, or null when absent.</summary>
    internal float[]? Floats(string name) => Find(name, AttributeKind.Floats) is { } found ? [.. found.AsFloats()] : null;

    /// <summary>A tensor attribute, or null when absent.</summary>
    internal Tensor? Tensor(string name) => Find(name, AttributeKind.Tensor)?.AsTensor();

    /// <summary>A subgraph attribute, or null when absent.</summary>
    internal Graph? Graph(string name) => Find(name, AttributeKind.Graph)?.AsGraph();

    /// <summary>An integer attribute that names an element type, or its default; null when there is no such type.
    /// </summary>
    internal ElementType? ElementType(string name, ElementType otherwise) =>
        Int(name, (long)otherwise) is >= 0 and <= int.MaxValue and var number && Enum.IsDefined((ElementType)number)
            ? (ElementType)number
            : null;

    /// <inheritdoc/>
    protected override string GetKeyForItem(NodeAttribute item)
    {
        ArgumentNullException.ThrowIfNull(item);
        return item.Name;
    }

    /// <summary>Checks that graphs can become subgraphs of a node.</summary>
    /// <exception cref="GraphException">One was made in another graph, or is of another attribute.</exception>
    internal static void RequireSubgraphs(Node node, Graph parent, IEnumerable<Graph> graphs)
    {
        var seen = new HashSet<Graph>();
        foreach (var graph in graphs)
        {
            if (graph.Parent != parent)
                throw new GraphException($"{node.Label}: graph '{graph.Name}' was not made in graph '{parent.Name}'.");
            if (graph.Holder is null && seen.Add(graph))
                continue;
            var holder = graph.Holder?.ToString() ?? node.Label;
            throw new GraphException($"{node.Label}: graph '{graph.Name}' is, or was, a subgraph of {holder}.");
        }
    }

    /// <inheritdoc/>
    protected override void InsertItem(int index, NodeAttribute item)
    {
        Check(item, null);
        base.InsertItem(index, item);
        Hold(item);
    }

    /// <inheritdoc/>
    protected override void SetItem(int index, NodeAttribute item)
    {
        var old = this[index];
        Check(item, old);
        base.SetItem(index, item);
        Release(old, item);
        Hold(item);
    }

    /// <inheritdoc/>
    protected override void RemoveItem(int index)
    {
        var old = this[index];
        base.RemoveItem(index);
        Release(old, null);
    }

    /// <inheritdoc/>
    protected override void ClearItems()
    {
        NodeAttribute[] old = [.. this];
        base.ClearItems();
        foreach (var attribute in old)
            Release(attribute, null);
    }

    private static void Release(NodeAttribute old, NodeAttribute? replacement)
    {
        foreach (var graph in Without(replacement, old))
            graph.Unlink();
    }

    private static IEnumerable<Graph> Without(NodeAttribute? other, NodeAttribute attribute) =>
        attribute.Graphs.Where(g => other?.Graphs.Contains(g) != true);

    private void Check(NodeAttribute item, NodeAttribute? replaced)
    {
        ArgumentNullException.ThrowIfNull(item);
        if (_node.Graph is { } graph)
            RequireSubgraphs(_node, graph, Without(replaced, item));
    }

    private void Hold(NodeAttribute item)
    {
        foreach (var graph in item.Graphs)
            graph.Holder = _node;
    }

    private NodeAttribute? Find(string name, AttributeKind kind)
    {
        if (!TryGetValue(name, out var found))
            return null;
        return found.Kind == kind
            ? found
            : throw new GraphException(
                $"{_node}: the attribute '{name}' is of kind {found.Kind}, not {kind}; export it again.");
    }
}
