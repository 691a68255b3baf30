using System.Collections.Immutable;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Quantization;

/// <summary>
/// A matrix that a graph has in few bits, with standard operators that make its float32 numbers at run time:
/// integers with a <c>DequantizeLinear</c>, or codes that pick from a code book. The last node's output is the
/// matrix and has the weight's name.
/// </summary>
internal abstract class QuantizedWeight
{
    private protected QuantizedWeight(Node node) => Node = node;

    /// <summary>The node that makes the matrix.</summary>
    public Node Node { get; }

    /// <summary>The matrix' axes.</summary>
    public abstract ImmutableArray<long> Dims { get; }

    /// <summary>The bytes of integers or codes, scales and zero points.</summary>
    public abstract long ByteCount { get; }

    /// <summary>Recognises a quantised matrix.</summary>
    /// <param name="value">The value that a layer reads.</param>
    /// <returns>The matrix, or null when the value is anything else.</returns>
    public static QuantizedWeight? Find(Value value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return value.Producer is { } node ? (QuantizedWeight?)IntegerWeight.Of(node) ?? CodeBookWeight.Of(node) : null;
    }

    /// <summary>Puts few bits in the place of a float32 matrix; every reader reads the dequantised values.</summary>
    /// <param name="g">Adds the nodes to the weight's graph, of opset 21 or newer.</param>
    /// <param name="weight">An initializer of the graph; gone afterwards.</param>
    /// <param name="content">The matrix in few bits.</param>
    /// <exception cref="ArgumentException">The weight is not an initializer, or of other axes.</exception>
    /// <remarks>
    /// The nodes come first in the graph, before every reader: ONNX Runtime, which takes the later of two operands
    /// first, then makes each matrix just before its product.
    /// </remarks>
    public static void Replace(GraphBuilder g, Value weight, QuantizedTensor content)
    {
        ArgumentNullException.ThrowIfNull(g);
        ArgumentNullException.ThrowIfNull(weight);
        ArgumentNullException.ThrowIfNull(content);
        if (weight.Initializer is not { } before || !before.Dims.SequenceEqual(content.Values.Dims))
            throw new ArgumentException($"{weight} is not an initializer like {content.Values}.", nameof(weight));
        var (graph, name) = (g.Graph, weight.Name);
        graph.Rename(weight, graph.FreshName($"{name}_float"));
        var matrix = Insert(g, name, content);
        graph.ReplaceAllUsesWith(weight, matrix);
        graph.Remove(weight);
    }

    /// <summary>Adds a matrix in few bits to a graph.</summary>
    /// <param name="g">Adds the nodes, first in the graph.</param>
    /// <param name="name">The matrix' name, which no value has yet.</param>
    /// <param name="content">The matrix.</param>
    /// <returns>Its float32 numbers.</returns>
    internal static Value Insert(GraphBuilder g, string name, QuantizedTensor content)
    {
        (g.Before, g.Scope) = (g.Graph.Nodes[0], name);
        var matrix = content.CodeBook is null
            ? IntegerWeight.Add(g, name, content)
            : CodeBookWeight.Add(g, name, content);
        (g.Before, g.Scope) = (null, "");
        g.Graph.Rename(matrix, name);
        (matrix.Type, matrix.Shape) = (ElementType.Float, content.Values.Shape);
        return matrix;
    }

    /// <summary>The integers or codes, with the scales and zero points of their blocks.</summary>
    public abstract QuantizedTensor Content { get; }

    /// <summary>The numbers that the nodes make, bit for bit, in the matrix' layout.</summary>
    /// <returns>A new tensor.</returns>
    public Tensor ToFloat32() => Content.ToFloat32();

    /// <summary>
    /// Adds nodes that make the matrix a second time. Equal nodes would be merged by ONNX Runtime, so their constants
    /// are multiplied by a number that is known at run time only.
    /// </summary>
    /// <param name="g">Adds the nodes.</param>
    /// <param name="one">1, a float32 scalar; the nodes run once it is there.</param>
    /// <returns>The matrix.</returns>
    public abstract Value Again(GraphBuilder g, Value one);

    /// <summary>Puts a float32 matrix back in the place of the few bits, under the weight's name.</summary>
    /// <param name="content">The matrix, of the same axes.</param>
    public void ReplaceBy(Tensor content)
    {
        var (graph, value) = (Node.Graph!, Node.Output);
        var name = value.Name;
        graph.Rename(value, graph.FreshName($"{name}_replaced"));
        graph.ReplaceAllUsesWith(value, graph.AddInitializer(name, content));
        Remove(graph, value);
    }

    /// <summary>An initializer of its own for a part of the weight.</summary>
    private protected static Value Part(GraphBuilder g, string name, Tensor content) =>
        g.Graph.AddInitializer(g.Graph.FreshName(name), content.WithName(name));

    /// <summary>Removes what nobody reads any more, and what made it.</summary>
    private static void Remove(Graph graph, Value value)
    {
        if (value.Uses.Count > 0 || value.IsGraphOutput || value.IsGraphInput)
            return;
        if (value.Producer is not { } node)
        {
            graph.Remove(value);
            return;
        }

        Value[] inputs = [.. node.Inputs.OfType<Value>().Distinct()];
        graph.Remove(node);
        foreach (var input in inputs)
            Remove(graph, input);
    }
}
