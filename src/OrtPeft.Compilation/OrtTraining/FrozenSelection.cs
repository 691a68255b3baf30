using OrtPeft.Adapters;
using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.OrtTraining;

/// <summary>The choice of the weights that go into the checkpoint as parameters that do not train.</summary>
internal static class FrozenSelection
{
    /// <summary>
    /// Smaller constants stay in the models: they cost nothing there, and lengths, masks and scalars help folding.
    /// </summary>
    private const long SmallestBytes = 1024;

    /// <summary>
    /// The names of the chosen initializers in the training graph's order. The adapter's buffers are always among them,
    /// under their names on disk, so that a checkpoint holds the whole adapter.
    /// </summary>
    /// <param name="peft">The adapted model.</param>
    /// <param name="training">Its training graph.</param>
    /// <param name="evaluation">Its evaluation graph.</param>
    /// <param name="isInCheckpoint">Whether the base's weights are among them too.</param>
    public static IReadOnlyList<string> Of(PeftModel peft, Model training, Model evaluation, bool isInCheckpoint)
    {
        foreach (var buffer in peft.Buffers)
        {
            Rename(training.Graph, buffer);
            Rename(evaluation.Graph, buffer);
        }

        var buffers = peft.Buffers.Select(static b => b.Name).ToHashSet(StringComparer.Ordinal);
        return
        [
            .. training.Graph.Initializers
                .Where(v => buffers.Contains(v.Name) || (isInCheckpoint && IsWeight(v)))
                .Where(v => IsTheSame(v.Initializer!, evaluation.Graph.Find(v.Name)?.Initializer))
                .Select(static v => v.Name),
        ];
    }

    private static void Rename(Graph graph, AdapterParameter buffer)
    {
        if (graph.Find(buffer.Value.Name) is { } value)
            graph.Rename(value, buffer.Name);
    }

    private static bool IsWeight(Value value) =>
        value.Initializer!.Data.Length >= SmallestBytes && CanBeInCheckpoint(value.Initializer.Type)
        && !value.Uses.Any(static u => IsOfPackedWeight(u.Node));

    private static bool CanBeInCheckpoint(ElementType type) =>
        type is ElementType.Float or ElementType.Double or ElementType.UInt8 or ElementType.Int8;

    /// <summary>Scales and zero points stay with integers that a checkpoint cannot hold.</summary>
    private static bool IsOfPackedWeight(Node node) =>
        node.Is("DequantizeLinear") && node.Inputs[0]!.Initializer is { } values && !CanBeInCheckpoint(values.Type);

    private static bool IsTheSame(Tensor weight, Tensor? other) => ReferenceEquals(weight.Data, other?.Data);
}
