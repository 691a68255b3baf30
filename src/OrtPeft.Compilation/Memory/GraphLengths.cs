using OrtPeft.Compilation.Objectives;
using OrtPeft.Onnx;

namespace OrtPeft.Compilation.Memory;

/// <summary>The lengths of a training graph's named axes.</summary>
internal static class GraphLengths
{
    /// <summary>Reads them off the graph's matrices of integers: tokens, labels and masks are all [rows, tokens].
    /// </summary>
    public static IReadOnlyDictionary<string, long> Of(Graph graph, PartSize part)
    {
        var lengths = new Dictionary<string, long>(StringComparer.Ordinal)
        {
            [CausalLm.Supervised.ToString()] = part.Labels,
        };
        foreach (var input in graph.Inputs.Where(static i => i is { Initializer: null, Shape.Rank: 2 }))
        {
            if (input.Type is not (Tensors.ElementType.Int64 or Tensors.ElementType.Int32))
                continue;
            lengths.TryAdd(input.Shape![0].ToString(), part.Rows);
            lengths.TryAdd(input.Shape[1].ToString(), part.Tokens);
        }

        return lengths;
    }
}
