using OrtPeft.Compilation.Graphs;
using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Tests.Memory;

/// <summary>A small batch, for graphs of every family.</summary>
internal static class TrainingRows
{
    /// <summary>The inputs that a graph has.</summary>
    public static Dictionary<string, Tensor> For(Graph graph) => For(graph.Inputs.Select(static i => i.Name), tokens: 13);

    /// <summary>The inputs of some names: three rows of eleven tokens, the last one shorter, which is what graphs with fixed axes
    /// take.</summary>
    public static Dictionary<string, Tensor> For(IEnumerable<string> names, int tokens)
    {
        const int Length = 11;
        long[] dims = [3, Length];
        long[] ids = [.. Enumerable.Range(0, 3 * Length).Select(i => (i * 7L) % tokens)];
        long[] mask = [.. ids.Select(static (_, i) => i < (3 * Length) - 4 ? 1L : 0)];
        var rows = new Dictionary<string, Tensor>
        {
            ["input_ids"] = Tensor.Of<long>(ids, dims),
            ["labels"] = Tensor.Of<long>([.. ids.Zip(mask, static (id, seen) => seen == 1 ? id : -100)], dims),
            ["attention_mask"] = Tensor.Of<long>(mask, dims),
            ["position_ids"] = Tensor.Of<long>([.. ids.Select(static (_, i) => (long)i % Length)], dims),
            [TrainingGraph.Scale] = Tensor.Scalar(1f / 26),
        };
        var known = names.ToHashSet(StringComparer.Ordinal);
        return rows.Where(r => known.Contains(r.Key)).ToDictionary();
    }
}
