using System.Collections.ObjectModel;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx;

/// <summary>A node's attributes by name, in file order.</summary>
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
