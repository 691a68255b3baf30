using System.Collections.Immutable;
using System.Text;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx;

/// <summary>A named constant of a node. Immutable, but a subgraph that it holds is not.</summary>
public sealed class NodeAttribute
{
    private readonly object? _value;

    internal NodeAttribute(string name, AttributeKind kind, object? value)
    {
        Name = name;
        Kind = kind;
        _value = value;
    }

    /// <summary>The attribute's name, unique in its node.</summary>
    public string Name { get; }

    /// <summary>The attribute's value kind.</summary>
    public AttributeKind Kind { get; }

    /// <summary>Fields of the file's attribute beyond name, kind and value, as protobuf bytes.</summary>
    internal ReadOnlyMemory<byte> Unmodelled { get; init; }

    /// <summary>The subgraphs that the attribute holds, none for most kinds.</summary>
    public IEnumerable<Graph> Graphs => _value switch
    {
        Graph graph => [graph],
        ImmutableArray<Graph> graphs => graphs,
        _ => [],
    };

    /// <summary>Makes an integer attribute.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="value">Its value.</param>
    /// <returns>The attribute.</returns>
    public static NodeAttribute Of(string name, long value) => new(name, AttributeKind.Int, value);

    /// <summary>Makes a float32 attribute.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="value">Its value.</param>
    /// <returns>The attribute.</returns>
    public static NodeAttribute Of(string name, float value) => new(name, AttributeKind.Float, value);

    /// <summary>Makes a string attribute.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="value">Its value.</param>
    /// <returns>The attribute.</returns>
    public static NodeAttribute Of(string name, string value) =>
        new(name, AttributeKind.String, (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(value));

    /// <summary>Makes an integer-list attribute.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="values">Its values.</param>
    /// <returns>The attribute.</returns>
    public static NodeAttribute Of(string name, ImmutableArray<long> values) => new(name, AttributeKind.Ints, values);

    /// <summary>Makes a tensor attribute.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="value">Its value.</param>
    /// <returns>The attribute.</returns>
    public static NodeAttribute Of(string name, Tensor value) => new(name, AttributeKind.Tensor, value);

    /// <summary>Makes a subgraph attribute.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="value">The subgraph; owned by the node from then on.</param>
    /// <returns>The attribute.</returns>
    public static NodeAttribute Of(string name, Graph value) => new(name, AttributeKind.Graph, value);

    /// <summary>The value as an integer.</summary>
    /// <returns>The int64.</returns>
    /// <exception cref="GraphException">The attribute holds something else.</exception>
    public long AsInt() => As<long>(AttributeKind.Int);

    /// <summary>The value as a float32.</summary>
    /// <returns>The number.</returns>
    /// <exception cref="GraphException">The attribute holds something else.</exception>
    public float AsFloat() => As<float>(AttributeKind.Float);

    /// <summary>The value as text.</summary>
    /// <returns>The string decoded from UTF-8.</returns>
    /// <exception cref="GraphException">The attribute holds something else.</exception>
    public string AsString() => Encoding.UTF8.GetString(As<ReadOnlyMemory<byte>>(AttributeKind.String).Span);

    /// <summary>The value as integers.</summary>
    /// <returns>The list.</returns>
    /// <exception cref="GraphException">The attribute holds something else.</exception>
    public ImmutableArray<long> AsInts() => As<ImmutableArray<long>>(AttributeKind.Ints);

    /// <summary>The value as float32 numbers.</summary>
    /// <returns>The list.</returns>
    /// <exception cref="GraphException">The attribute holds something else.</exception>
    public ImmutableArray<float> AsFloats() => As<ImmutableArray<float>>(AttributeKind.Floats);

    /// <summary>The value as a tensor.</summary>
    /// <returns>The tensor.</returns>
    /// <exception cref="GraphException">The attribute holds something else.</exception>
    public Tensor AsTensor() => As<Tensor>(AttributeKind.Tensor);

    /// <summary>The value as a subgraph.</summary>
    /// <returns>The graph.</returns>
    /// <exception cref="GraphException">The attribute holds something else.</exception>
    public Graph AsGraph() => As<Graph>(AttributeKind.Graph);

    internal T As<T>(AttributeKind kind) =>
        Kind == kind && _value is T value ? value : throw new GraphException(
            $"Attribute '{Name}' is of kind {Kind}, not {kind}.");
}
