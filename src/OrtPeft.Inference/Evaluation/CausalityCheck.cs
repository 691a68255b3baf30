using Microsoft.ML.OnnxRuntime;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Runtime.Feeding;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors.Numerics;

namespace OrtPeft.Inference.Evaluation;

/// <summary>
/// Runs a model once on a few random tokens and looks at what next-token training takes for granted: that logits have
/// the axes [batch, sequence, vocabulary], that they are numbers, and that they do not change with tokens after their
/// own. Where they do, each place sees its own answer.
/// </summary>
/// <remarks>
/// Sequences that differ in nothing but the last token stand in one batch, so that whatever a model computes over a
/// whole batch, such as the scale of a dynamic quantisation, is the same for both. The change of earlier logits is
/// compared with that of the last, which is due, and with the difference of two equal rows, which is noise.
/// </remarks>
internal static class CausalityCheck
{
    /// <summary>Of the due change: causal models give exactly 0, tiny random bidirectional ones over 1e-3.</summary>
    private const double Share = 1e-4;

    /// <summary>The same where sequences must run apart and activations are rounded by what else is there.</summary>
    private const double ShareWhenRoundedApart = 0.2;

    private const string NoNumbers = "its logits are not numbers: its weights hold NaN or infinity, "
        + "or overflow in float32; fetch or export the weights again.";

    /// <summary>Of the difference of two equal runs, which a graph that draws random numbers has: what is no more is
    /// noise.</summary>
    internal const double TimesNoise = 16;

    private const int Length = 6;
    private const int Sequences = 4;

    /// <summary>Runs the check.</summary>
    /// <param name="model">
    /// From rows of tokens to logits, its one output, as <c>LogitsGraph</c> makes it.
    /// </param>
    /// <param name="options">How to run it; the CPU with all cores when left out.</param>
    /// <param name="wantsNumbers">
    /// Whether logits that are not numbers are a problem. Without, nothing is said of them: whoever measures a loss
    /// says
    /// what it came to.
    /// </param>
    /// <returns>What is wrong and what to do, or null.</returns>
    /// <exception cref="GraphException">ONNX Runtime refuses the graph.</exception>
    public static string? ProblemOf(Model model, RuntimeOptions? options = null, bool wantsNumbers = true)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (model.Graph.Inputs.FirstOrDefault(static i => i.Name == DecoderNames.Ids) is not { } ids)
            return null;
        var plain = (options ?? new RuntimeOptions()) with { Prepacking = false, ProfilePrefix = null };
        using var session = ModelSession.Open(model, plain);
        var runs = new ProbeRuns(session, DecoderInputs.Of(model.Graph), model.Graph.Outputs[0].Name);
        var (rows, columns) = ids.Shape is { Rank: 2 } axes ? (axes[0].ToCount(), axes[1].ToCount()) : (null, null);
        _ = FeedSize.Of(rows ?? Sequences, columns ?? Length);
        var vocabulary = DecoderNames.VocabularyOf(model.Graph) ?? 2;
        try
        {
            return Judge(model, runs, rows ?? Sequences, columns ?? Length, vocabulary, wantsNumbers);
        }
        catch (OnnxRuntimeException e)
        {
            return $"ONNX Runtime cannot run it on {rows ?? Sequences} rows of {columns ?? Length} tokens: "
                + $"{RefusedGraph.Reason(e)}; export it with dynamic axes, and with Optimum's inputs.";
        }
    }

    private static string? Judge(
        Model model, ProbeRuns runs, int rows, int columns, int vocabulary, bool wantsNumbers)
    {
        var random = new SplitMix64(0, "causality");
        var tokens = Drawn(random, columns, vocabulary);
        long[] other = [.. tokens[..^1], (tokens[^1] + 1) % vocabulary];
        var together = rows >= 3;
        var first = runs.Run([.. Enumerable.Range(0, rows).SelectMany(r => together && r == 1 ? other : tokens)], rows);
        if (AxesProblem(first, rows, columns) is { } axes)
            return axes;
        // What is not a number cannot be compared. Other tokens may be numbers still, as where one token's row is damaged.
        if (first.HasNoNumber(row: 0))
        {
            var second = wantsNumbers ? runs.Run(Repeated(Drawn(random, columns, vocabulary), rows), rows) : null;
            return second?.HasNoNumber(row: 0) == true ? NoNumbers : null;
        }

        if (columns < 2)
            return null;
        var (changed, again) = together
            ? (first.Row(1), first.Row(2))
            : (runs.Run(Repeated(other, rows), rows).Row(0), runs.Run(Repeated(tokens, rows), rows).Row(0));
        var row = first.Row(0);
        var width = row.Length / columns;
        var last = row.Length - width;
        var due = ProbeLogits.Change(row.AsSpan(last), changed.AsSpan(last));
        var early = ProbeLogits.Change(row.AsSpan(0, last), changed.AsSpan(0, last));
        var noise = ProbeLogits.Change(row, again);
        var share = together ? Share : ShareOf(model.Graph);
        return early > Math.Max(share * due, TimesNoise * noise) ? Bidirectional(early, due) : null;
    }

    private static long[] Drawn(SplitMix64 random, int columns, int vocabulary) =>
        [.. Enumerable.Range(0, columns).Select(_ => (long)random.NextBelow(vocabulary))];

    private static long[] Repeated(long[] tokens, int rows) => [.. Enumerable.Repeat(tokens, rows).SelectMany(t => t)];

    /// <summary>
    /// Of the due change, what a run of its own may differ by: activations that are rounded by a scale of the whole run
    /// depend on all that is in it.
    /// </summary>
    internal static double ShareOf(Graph graph) =>
        graph.Nodes.Any(static n => n.OpType.StartsWith("Dynamic", StringComparison.Ordinal))
            ? ShareWhenRoundedApart
            : Share;

    private static string? AxesProblem(ProbeLogits logits, int rows, int columns)
    {
        if (logits.Dims is [var r, var c, _] && r == rows && c == columns)
            return null;
        var found = $"of {rows} rows of {columns} tokens its logits are [{string.Join(", ", logits.Dims)}]";
        if (logits.Dims is [var time, var batch, _] && time == columns && batch == rows)
            return $"{found}: the sequence comes first; export it with [batch, sequence, vocabulary].";
        if (logits.Dims is [_, 1, _] or [_, _])
            return $"{found}: those of one position, and next-token training needs those of every position; export it "
                + "without cutting them (logits_to_keep=0, no pruning of the head).";
        return $"{found}, not [{rows}, {columns}, vocabulary]; export it with logits of every position.";
    }

    private static string Bidirectional(double early, double due) => FormattableString.Invariant(
        $"it is bidirectional: another last token changes the logits of earlier places by {early:G2}, its own by ")
        + FormattableString.Invariant($"{due:G2}, so in next-token training each place would see its answer. A masked ")
        + "language model wants the fill-mask objective, which OrtPeft does not have; give a causal model.";
}
