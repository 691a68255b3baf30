using Microsoft.ML.OnnxRuntime;
using OrtPeft.Inference.Evaluation;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Runtime.Feeding;
using OrtPeft.Tensors.Numerics;

namespace OrtPeft.Inference.Generation;

/// <summary>
/// Runs a graph on a few random tokens and sees that the logits of a place stay as they are whatever token
/// comes after it: those of a masked language model do not, and what it says of a place is no token that comes next.
/// </summary>
internal static class LaterTokenCheck
{
    private const int Length = 3;

    /// <summary>Refuses a graph that sees later tokens.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="run">Runs it on feeds and gives its logits, which are disposed here.</param>
    /// <param name="inputs">How it is fed.</param>
    /// <param name="window">Its rows and columns; a fixed length is <see cref="PaddingCheck"/>'s.</param>
    /// <param name="otherwise">What to do beside giving a causal model; empty for nothing.</param>
    /// <exception cref="GraphException">A later token changes the logits of an earlier place.</exception>
    public static void Run(
        Graph graph, Func<DecoderFeeds, OrtValue> run, DecoderInputs inputs, TokenWindow window, string otherwise = "")
    {
        if (window.Length is not null)
            return;
        var vocabulary = DecoderNames.VocabularyOf(graph) ?? 2;
        var random = new SplitMix64(0, "later tokens");
        long[] tokens = [.. Enumerable.Range(0, Length).Select(_ => (long)random.NextBelow(vocabulary))];
        long[] other = [.. tokens[..^1], (tokens[^1] + 1) % vocabulary];
        if (Ends(tokens) is not { } one || Ends(other) is not { } two || Ends(tokens) is not { } again)
            return;
        var early = ProbeLogits.Change(one.First, two.First);
        var due = ProbeLogits.Change(one.Last, two.Last);
        var noise = ProbeLogits.Change(one.First, again.First);
        if (early > Math.Max(CausalityCheck.ShareOf(graph) * due, CausalityCheck.TimesNoise * noise))
        {
            throw new GraphException(FormattableString.Invariant(
                $"Graph '{graph.Name}' does not generate: it is bidirectional, as a masked language model is: another last token ")
                + FormattableString.Invariant($"changes the logits of earlier places by {early:G2}, its own by {due:G2}; ")
                + $"give a causal model{otherwise}.");
        }

        // Null where the graph does not give the logits of every place, or does not run; then there is nothing to compare.
        (float[] First, float[] Last)? Ends(long[] ids)
        {
            try
            {
                using var feeds = window.Feed(inputs, ids, pastLength: 0);
                using var value = run(feeds);
                var rows = new LogitRows(value);
                return rows.Count == (long)window.Rows * Length
                    ? (rows[0].ToArray(), window.Last(rows, Length).ToArray())
                    : null;
            }
            catch (OnnxRuntimeException)
            {
                return null;
            }
        }
    }
}
