using System.Collections.ObjectModel;

namespace OrtPeft.Onnx;

/// <summary>A node's attributes by name, in file order.</summary>
public sealed class AttributeMap : KeyedCollection<string, NodeAttribute>
{
    internal AttributeMap()
        : base(StringComparer.Ordinal)
    {
    }

    /// <summary>An integer attribute or its default.</summary>
    /// <param name="name">The attribute.</param>
    /// <param name="otherwise">What the operator takes when it is absent.</param>
    /// <returns>The value.</returns>
    public long Int(string name, long otherwise) => TryGetValue(name, out var found) ? found.AsInt() : otherwise;

    /// <summary>A float32 attribute or its default.</summary>
    /// <param name="name">The attribute.</param>
    /// <param name="otherwise">What the operator takes when it is absent.</param>
    /// <returns>The value.</returns>
    public float Float(string name, float otherwise) => TryGetValue(name, out var found) ? found.AsFloat() : otherwise;

    /// <summary>A string attribute or its default.</summary>
    /// <param name="name">The attribute.</param>
    /// <param name="otherwise">What the operator takes when it is absent.</param>
    /// <returns>The value.</returns>
    public string String(string name, string otherwise) =>
        TryGetValue(name, out var found) ? found.AsString() : otherwise;

    /// <summary>An integer-list attribute, or null when absent.</summary>
    /// <param name="name">The attribute.</param>
    /// <returns>The values.</returns>
    public long[]? Ints(string name) => TryGetValue(name, out var found) ? [.. found.AsInts()] : null;

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

    /// <inheritdoc/>
    protected override string GetKeyForItem(NodeAttribute item)
    {
        ArgumentNullException.ThrowIfNull(item);
        return item.Name;
    }
}
