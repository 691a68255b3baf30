using OrtPeft.Adapters.Merging;
using OrtPeft.Inference;
using OrtPeft.Inference.Evaluation;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Numerics;

namespace OrtPeft.Serving.Engine;

/// <summary>
/// Runs a few random rows alone and in a batch that they join and leave, each with random factors of its own, and sees
/// whether they get the same logits: whether a graph takes rows of several lengths together cannot be read off it.
/// </summary>
internal static class TogetherCheck
{
    private const int Steps = 3;

    private static readonly int[] Lengths = [5, 2, 7];

    /// <summary>Finds the form of caches in which rows go on together.</summary>
    /// <param name="runs">Runs the graph.</param>
    /// <param name="slots">The graph's slots.</param>
    /// <param name="why">Why there is none.</param>
    /// <returns>The batch, without rows; null where rows must go on alone.</returns>
    public static RowBatch? Find(DecoderRuns runs, LoraSlots slots, out string? why)
    {
        why = runs.WhyNotTogether;
        if (why is not null)
            return null;
        var random = new SplitMix64(0, "together");
        using var probes = new SlotTensors(slots.All);
        for (var slot = 1; slot < Lengths.Length; slot++)
            probes.Add(Drawn(slots, random));
        var before = runs.Exchange(probes);
        try
        {
            var vocabulary = DecoderNames.VocabularyOf(runs.Graph) ?? 2;
            long[][] tokens = [.. Lengths.Select(n => Tokens(random, n + Steps, vocabulary))];
            var (alone, due) = Alone(runs, tokens, vocabulary);
            foreach (var endsTogether in (bool[])[true, false])
            {
                var batch = new RowBatch(runs, endsTogether);
                why = Differ(runs, batch, tokens, alone, ShareOf(runs) * due);
                if (why is null)
                    return batch;
                batch.Dispose();
            }

            return null;
        }
        finally
        {
            runs.Exchange(before);
        }
    }

    /// <summary>The logits of the last tokens of each row, and how much another last token changes them.</summary>
    private static (float[][][] Logits, double Due) Alone(DecoderRuns runs, long[][] tokens, int vocabulary)
    {
        var logits = new float[tokens.Length][][];
        for (var r = 0; r < tokens.Length; r++)
        {
            using var row = new EngineRow(r, tokens[r][..Lengths[r]]);
            runs.Alone(row);
            logits[r] = new float[Steps][];
            for (var s = 0; s < Steps; s++)
            {
                row.Ids.Add(tokens[r][Lengths[r] + s]);
                logits[r][s] = runs.Alone(row)!;
            }
        }

        using var other = new EngineRow(0, [.. tokens[0][..Lengths[0]], (tokens[0][Lengths[0]] + 1) % vocabulary]);
        return (logits, ProbeLogits.Change(logits[0][0], runs.Alone(other)!));
    }

    private static string? Differ(DecoderRuns runs, RowBatch batch, long[][] tokens, float[][][] alone, double limit)
    {
        EngineRow[] rows = [.. tokens.Select((t, r) => new EngineRow(r, t[..Lengths[r]]))];
        try
        {
            foreach (var row in rows)
                runs.Alone(row);
            batch.Change([], rows[..2]);
            for (var s = 0; s < Steps; s++)
            {
                // The longest joins late, and the first leaves then.
                if (s == 1)
                    batch.Change([rows[0]], [rows[2]]);
                foreach (var (i, row) in batch.Rows.Index())
                    row.Ids.Add(tokens[Array.IndexOf(rows, row)][row.Cached]);
                using var value = batch.Step();
                var logits = new LogitRows(value);
                foreach (var (i, row) in batch.Rows.Index())
                {
                    var r = Array.IndexOf(rows, row);
                    var change = ProbeLogits.Change(logits[i], alone[r][row.Cached - 1 - Lengths[r]]);
                    if (!(change <= limit))
                        return "rows of several lengths change each other's logits";
                }
            }

            return null;
        }
        catch (Microsoft.ML.OnnxRuntime.OnnxRuntimeException e)
        {
            return $"ONNX Runtime does not run rows of several lengths: {RefusedGraph.Reason(e)}";
        }
        finally
        {
            batch.Clear();
            foreach (var row in rows)
                row.Dispose();
        }
    }

    /// <summary>Of the due change, what rounding may come to: products of one row and of several round differently.</summary>
    private static double ShareOf(DecoderRuns runs) =>
        runs.Graph.Initializers.Any(static v => v.Type is ElementType.Float16 or ElementType.BFloat16) ? 3e-2 : 1e-3;

    private static LoraFactorsOfSlots Drawn(LoraSlots slots, SplitMix64 random) => new(slots.All.Index().ToDictionary(
        static s => s.Index,
        s => (Numbers(random, s.Item.Site.InFeatures, s.Item.Site.InFeatures),
            Numbers(random, s.Item.Site.Width, s.Item.Site.InFeatures), 1)));

    private static float[] Numbers(SplitMix64 random, int count, int fan) =>
        [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() - 0.5) / Math.Sqrt(fan)))];

    private static long[] Tokens(SplitMix64 random, int count, int vocabulary) =>
        [.. Enumerable.Range(0, count).Select(_ => (long)random.NextBelow(vocabulary))];
}
