using OrtPeft.Adapters.Decoders;
using OrtPeft.Onnx;

namespace OrtPeft.Adapters.PrefixTuning;

/// <summary>The shape of the keys that a prefix joins: the same in all layers.</summary>
internal static class PrefixHeads
{
    /// <summary>Heads of the keys, and elements of a head.</summary>
    /// <exception cref="ConfigException">There is no attention, or its heads cannot be made out.</exception>
    public static (long Heads, long Width) Of(Graph graph, IReadOnlyList<AttentionLayer> layers)
    {
        if (layers.Count == 0)
            throw new ConfigException(
                $"Graph '{graph.Name}': no attention was found, softmax between two products of computed matrices, so " +
                "a prefix has no place.");
        var shapes = layers.Select(Of).ToArray();
        if (shapes.Distinct().Skip(1).FirstOrDefault() is { Heads: > 0 } other)
            throw new ConfigException(
                $"Graph '{graph.Name}': a prefix is of one shape, and the layers' heads × width differ: " +
                $"{shapes[0].Heads} × {shapes[0].Width} and {other.Heads} × {other.Width}.");
        return shapes[0];
    }

    private static (long Heads, long Width) Of(AttentionLayer layer)
    {
        var (heads, width) = (layer.KeyHeads(), layer.Width);
        if (heads is null || width is null)
            throw Unknown(layer.Scores.Product, layer.Keys);
        foreach (var (node, operand) in ((Node, Value)[])
            [(layer.Scores.Product, layer.Keys), (layer.Context, layer.Values)])
        {
            if (HeadLayout.CountOf(operand) is not { } shown || shown % heads != 0)
                throw Unknown(node, operand);
        }

        var values = layer.Values.Shape!;
        if (values[values.Rank - 1].Value is { } own && own != width)
            throw new ConfigException(
                $"{layer.Context}: values have {own} elements per head and keys {width}; a prefix has one width.");
        return (heads.Value, width.Value);
    }

    private static ConfigException Unknown(Node node, Value operand) => new(
        $"{node}: heads and head width of {operand} cannot be made out; [batch, heads, sequence, width] is expected: " +
        "export the model with eager attention and known heads.");
}
