using System.Collections.Immutable;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Tensors;

namespace OrtPeft.Inference.Generation;

/// <summary>Finds the output that continues each cache input.</summary>
internal static class CachePairs
{
    private static readonly (string Past, string Present)[] Renamings =
    [
        (DecoderNames.Past, DecoderNames.Present),
        (DecoderNames.Past, $"{DecoderNames.Present}_key_values"),
        ("past", DecoderNames.Present),
    ];

    /// <summary>
    /// The outputs that are carried from one run to the next, in the order of <paramref name="pasts"/>; empty where each
    /// run begins with the first token: in a fixed length, without a cache, and where slots are written in place and
    /// nothing tells which are next. A convolution's state alone is no cache: attention beside it reads all tokens.
    /// </summary>
    /// <param name="graph">The decoder.</param>
    /// <param name="pasts">Its caches and states.</param>
    /// <param name="window">The tokens of each run.</param>
    /// <exception cref="GraphException">The graph gives some caches, and others not.</exception>
    public static ImmutableArray<string> Carried(Graph graph, ImmutableArray<Value> pasts, TokenWindow window)
    {
        var carries = window.Length is null && pasts.Any(static p => p.Shape!.Rank >= 4) && !CountsFromZero(graph, pasts);
        return carries ? Of(graph, pasts) : [];
    }

    private static bool CountsFromZero(Graph graph, ImmutableArray<Value> pasts) =>
        pasts.Any(static p => p.Shape!.Rank >= 4 && CacheInputs.IsState(p))
        && !graph.Inputs.Any(static i => i.Uses.Count > 0
            && (SharedInputs.ArePlaces(i) || i.Name == DecoderNames.Positions));

    /// <summary>
    /// The outputs in the order of <paramref name="pasts"/>: found by name, or else by order where as many outputs with
    /// the same number of axes follow the logits. Empty when the graph gives no cache.
    /// </summary>
    private static ImmutableArray<string> Of(Graph graph, ImmutableArray<Value> pasts)
    {
        var others = graph.Outputs.Where(static o => o.Name != DecoderNames.Logits).ToDictionary(static o => o.Name);
        var named = pasts.Select(p => Named(p.Name, others.Keys)).ToArray();
        if (named.All(static n => n is not null))
            return [.. named.Select(static n => n!)];
        var ordered = others.Values.Where(o => o.Type.IsFloating() && o.Shape?.Rank == pasts[0].Shape!.Rank).ToArray();
        if (named.All(static n => n is null) && ordered.Length == pasts.Length)
            return [.. ordered.Select(static o => o.Name)];
        if (named.All(static n => n is null) && ordered.Length == 0)
            return [];
        var missing = pasts[Array.IndexOf(named, null)].Name;
        throw new GraphException(
            $"Graph '{graph.Name}': no output continues cache input '{missing}'; "
            + $"'{Continuations(missing).First()}' is expected.");
    }

    private static string? Named(string past, ICollection<string> outputs) =>
        Continuations(past).FirstOrDefault(outputs.Contains);

    private static IEnumerable<string> Continuations(string past) =>
        Renamings
            .Where(r => past.StartsWith(r.Past, StringComparison.Ordinal))
            .Select(r => r.Present + past[r.Past.Length..]);
}
