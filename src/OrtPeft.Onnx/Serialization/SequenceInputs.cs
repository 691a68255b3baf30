using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Serialization;

/// <summary>Inputs that are sequences of tensors: the graph knows their type as it stands in a file.</summary>
internal static class SequenceInputs
{
    /// <summary>Adds an input that is a sequence of tensors, each of a shape of its own.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="name">Its name, not yet in use.</param>
    /// <param name="element">The tensors' element type.</param>
    /// <returns>The new value; its <see cref="Value.Type"/> stays undefined, for it is not a tensor.</returns>
    /// <exception cref="GraphException">The name is in use.</exception>
    public static Value AddSequenceInput(this Graph graph, string name, ElementType element)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var value = graph.AddInput(name, ElementType.Undefined, null);
        value.OpaqueType = TypeConverter.SequenceOf(element);
        return value;
    }
}
