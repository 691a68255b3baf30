using Microsoft.ML.OnnxRuntime;
using OrtPeft.Inference.Evaluation;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Runtime.Feeding;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors.Numerics;

namespace OrtPeft.Inference.Generation;

/// <summary>
/// Runs a graph of a fixed length on a few random tokens and sees that the logits of a place are there, and stay as they
/// are whatever fills the places after it.
/// </summary>
internal static class PaddingCheck
{
    /// <summary>Refuses a graph that cannot generate in its fixed length.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="run">Runs it on feeds and gives its logits, which are disposed here.</param>
    /// <param name="inputs">How it is fed.</param>
    /// <param name="window">Its rows and columns.</param>
    /// <exception cref="GraphException">The logits depend on the padding or are not there for every place, or ONNX
    /// Runtime cannot run it.</exception>
    public static void Run(
        Graph graph, Func<DecoderFeeds, OrtValue> run, DecoderInputs inputs, TokenWindow window)
    {
        if (window.Length is not { } length)
            return;
        var vocabulary = DecoderNames.VocabularyOf(graph) ?? 2;
        var random = new SplitMix64(0, "padding");
        long[] tokens = [.. Enumerable.Range(0, length / 2).Select(_ => (long)random.NextBelow(vocabulary))];
        var padding = (long)random.NextBelow(vocabulary);
        long[] other = [.. tokens[..^1], (tokens[^1] + 1) % vocabulary];
        var first = Logits(tokens, padding);
        var padded = ProbeLogits.Change(first, Logits(tokens, (padding + 1) % vocabulary));
        var due = ProbeLogits.Change(first, Logits(other, padding));
        if (padded > CausalityCheck.ShareOf(graph) * due)
        {
            throw new GraphException(FormattableString.Invariant(
                $"Graph '{graph.Name}' has a fixed length of {length} tokens, and what fills the places after a text ")
                + FormattableString.Invariant($"changes its logits by {padded:G2}, its last token by {due:G2}; ")
                + "export the model with dynamic axes, or with a causal mask.");
        }

        float[] Logits(long[] ids, long fill)
        {
            using var feeds = window.Feed(inputs, ids, pastLength: 0, fill);
            using var value = RunOne(graph, run, feeds);
            var rows = new LogitRows(value);
            return rows.Count == (long)window.Rows * length
                ? window.Last(rows, ids.Length).ToArray()
                : throw new GraphException(
                    $"Graph '{graph.Name}' has a fixed length of {length} tokens and gives logits for {rows.Count} "
                    + $"places of {window.Rows} × {length}; export it with logits of every position, or with dynamic "
                    + "axes.");
        }
    }

    private static OrtValue RunOne(Graph graph, Func<DecoderFeeds, OrtValue> run, DecoderFeeds feeds)
    {
        try
        {
            return run(feeds);
        }
        catch (OnnxRuntimeException e)
        {
            throw new GraphException(
                $"Graph '{graph.Name}': ONNX Runtime cannot run it in its fixed axes: {RefusedGraph.Reason(e)}; export "
                + "it with dynamic axes.",
                e);
        }
    }
}
