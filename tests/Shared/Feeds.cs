using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Testing;

/// <summary>Fits one batch to graphs that take it in different forms.</summary>
internal static class Feeds
{
    /// <summary>
    /// What the graph's inputs take, from several sources: masks in the graph's own type, caches empty, positions
    /// counted from 0 where none are given.
    /// </summary>
    public static Dictionary<string, Tensor> Of(Graph graph, params IReadOnlyDictionary<string, Tensor>[] sources)
    {
        var ids = sources.Select(static s => s.GetValueOrDefault("input_ids")).OfType<Tensor>().First();
        var feeds = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var input in graph.Inputs)
        {
            var given = sources.Select(s => s.GetValueOrDefault(input.Name)).FirstOrDefault(static t => t is not null);
            if ((given ?? Default(input, ids)) is { } tensor)
                feeds[input.Name] = InTypeOf(input, tensor);
        }

        return feeds;
    }

    private static Tensor? Default(Value input, Tensor ids) => input.Name switch
    {
        "attention_mask" => Tensor.Of<long>([.. Enumerable.Repeat(1L, (int)ids.Count)], ids.Dims.AsSpan()),
        "position_ids" => Tensor.Of<long>([.. Positions(ids)], ids.Dims.AsSpan()),
        _ when input.Name.StartsWith("past", StringComparison.Ordinal) => EmptyPast(input, ids),
        _ => null,
    };

    private static IEnumerable<long> Positions(Tensor ids) =>
        Enumerable.Range(0, (int)ids.Count).Select(i => i % ids.Dims[1]);

    private static Tensor EmptyPast(Value input, Tensor ids)
    {
        var dims = input.Shape!.Select(static d => d.Value ?? 0).ToArray();
        (dims[^4], dims[^2]) = (ids.Dims[0], 0);
        return Tensor.Of<float>([], dims);
    }

    private static Tensor InTypeOf(Value input, Tensor tensor) => (tensor.Type, input.Type) switch
    {
        (ElementType.Int64, ElementType.Float) =>
            Tensor.Of<float>([.. tensor.ToInt64().Select(static v => (float)v)], tensor.Dims.AsSpan()),
        (ElementType.Int64, ElementType.Int32) =>
            Tensor.Of<int>([.. tensor.ToInt64().Select(static v => (int)v)], tensor.Dims.AsSpan()),
        _ => tensor,
    };
}
