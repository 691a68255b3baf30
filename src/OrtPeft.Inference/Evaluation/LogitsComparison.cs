using Microsoft.ML.OnnxRuntime;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Onnx.Passes;
using OrtPeft.Runtime.Feeding;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors.Numerics;

namespace OrtPeft.Inference.Evaluation;

/// <summary>
/// Compares what two decoders say, such as a model with its adapter merged and the same with it beside. Both run on
/// whole sequences without a past; they may differ in anything but their vocabulary. Each sequence takes memory for
/// twice its length times the vocabulary.
/// </summary>
internal static class LogitsComparison
{
    /// <summary>Random token sequences to compare on.</summary>
    /// <param name="count">How many, 1 or more.</param>
    /// <param name="maxLength">The most tokens in one, 1 to the model's context; the first sequence has that many, the
    /// others between 1 and that.</param>
    /// <param name="vocabularySize">Tokens are drawn from 0 to this, excluded.</param>
    /// <param name="seed">Selects the numbers; the same seed repeats them.</param>
    /// <returns>The sequences.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A number is below 1.</exception>
    public static IReadOnlyList<int[]> RandomSequences(int count, int maxLength, int vocabularySize, long seed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxLength, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabularySize, 1);
        var random = new SplitMix64(seed, "logits comparison");
        var sequences = new int[count][];
        for (var i = 0; i < count; i++)
        {
            sequences[i] = new int[i == 0 ? maxLength : 1 + random.NextBelow(maxLength)];
            for (var j = 0; j < sequences[i].Length; j++)
                sequences[i][j] = random.NextBelow(vocabularySize);
        }

        return sequences;
    }

    /// <summary>Runs both models and finds the largest difference.</summary>
    /// <param name="first">A decoder.</param>
    /// <param name="second">A decoder with the same vocabulary.</param>
    /// <param name="sequences">The token sequences, each of one token or more; cut or repeated where a graph's axes are
    /// fixed.</param>
    /// <param name="options">How to run the models; the CPU with all cores when left out.</param>
    /// <param name="adapter">An <c>.onnx_adapter</c> file that ONNX Runtime activates for the second model; null for
    /// none.</param>
    /// <returns>The largest difference and where it is.</returns>
    /// <exception cref="ArgumentException">There is no sequence, or one is empty.</exception>
    /// <exception cref="GraphException">A graph is not a decoder, or the vocabularies differ.</exception>
    /// <exception cref="OnnxRuntimeException">A model cannot be run, as when a token is not in its
    /// vocabulary.</exception>
    public static LogitsDifference Compare(
        Model first,
        Model second,
        IReadOnlyList<IReadOnlyList<int>> sequences,
        RuntimeOptions? options = null,
        string? adapter = null)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        ArgumentNullException.ThrowIfNull(sequences);
        if (sequences.Count == 0)
            throw new ArgumentException("There is no sequence to compare on.", nameof(sequences));
        (first, second) = (Prepared(first), Prepared(second));
        var firstInputs = InputsOf(first);
        var secondInputs = InputsOf(second);
        using var firstSession = ModelSession.Open(first, options);
        using var secondSession = ModelSession.Open(second, options);
        using var active = adapter is null ? null : OrtLoraAdapter.Create(Path.GetFullPath(adapter), null);
        var worst = new LogitsDifference(0, 0, 0, 0, 0, 0);
        foreach (var (index, sequence) in sequences.Index())
        {
            var (ids, rows) = Fitted(sequence, first.Graph);
            using var ours = Run(firstSession, firstInputs, ids, rows, null);
            using var theirs = Run(secondSession, secondInputs, ids, rows, active);
            worst = Worse(worst, index, new LogitRows(ours), new LogitRows(theirs));
        }

        return worst;
    }

    /// <summary>The logits after each of some sequences.</summary>
    /// <param name="model">A decoder.</param>
    /// <param name="sequences">The token sequences.</param>
    /// <param name="options">How to run it; the CPU with all cores when left out.</param>
    /// <returns>One row for each sequence, as wide as the vocabulary.</returns>
    public static IReadOnlyList<float[]> After(
        Model model, IReadOnlyList<IReadOnlyList<int>> sequences, RuntimeOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(sequences);
        model = Prepared(model);
        var inputs = InputsOf(model);
        using var session = ModelSession.Open(model, options);
        var found = new List<float[]>();
        foreach (var sequence in sequences)
        {
            var (ids, rows) = Fitted(sequence, model.Graph);
            using var logits = Run(session, inputs, ids, rows, null);
            var all = new LogitRows(logits);
            found.Add(all[all.Count - 1].ToArray());
        }

        return found;
    }

    /// <summary>Whether a model can be compared, as what is merged is: no session is opened.</summary>
    /// <param name="model">The model.</param>
    /// <returns>Why it cannot and what to do, or null.</returns>
    public static string? WhyNot(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        try
        {
            _ = InputsOf(Prepared(model));
            return null;
        }
        catch (Exception e) when (e is GraphException or UnsupportedOpException)
        {
            return e.Message;
        }
    }

    private static Model Prepared(Model model) => OwnLoss.Without(DecoderNaming.Named(model));

    private static DecoderInputs InputsOf(Model model)
    {
        LogitRows.Check(model.Graph);
        return DecoderInputs.Of(model.Graph);
    }

    /// <summary>
    /// A graph with fixed axes takes a sequence over and over to its length, in each of its rows one token further on.
    /// </summary>
    private static (long[] Ids, int Rows) Fitted(IReadOnlyList<int> sequence, Graph graph)
    {
        var shape = graph.Find(DecoderNames.Ids)?.Shape is { Rank: 2 } known ? known : null;
        var rows = shape?[0].ToCount() ?? 1;
        var columns = shape?[1].ToCount() ?? sequence.Count;
        var ids = new long[FeedSize.Of(rows, columns)];
        for (var i = 0; i < ids.Length; i++)
            ids[i] = sequence[((i % columns) + (i / columns)) % sequence.Count];
        return (ids, rows);
    }

    private static OrtValue Run(
        ModelSession session, DecoderInputs inputs, long[] ids, int rows, OrtLoraAdapter? adapter)
    {
        using var feeds = inputs.Feed(ids, rows);
        using var options = new RunOptions();
        if (adapter is not null)
            options.AddActiveLoraAdapter(adapter);
        return session.Session.Run(options, feeds.Values, [DecoderNames.Logits])[0];
    }

    private static LogitsDifference Worse(LogitsDifference worst, int sequence, LogitRows first, LogitRows second)
    {
        if (first.Width != second.Width)
            throw new GraphException($"The models' vocabularies differ: {first.Width} and {second.Width} logits.");
        var largest = worst.LargestLogit;
        for (var position = 0; position < first.Count; position++)
        {
            var ours = first[position];
            var theirs = second[position];
            for (var token = 0; token < ours.Length; token++)
            {
                var difference = ours[token] == theirs[token] ? 0 : Math.Abs(ours[token] - theirs[token]);
                if (difference > worst.Largest || (float.IsNaN(difference) && !float.IsNaN(worst.Largest)))
                    worst = new(difference, sequence, position, token, ours[token], theirs[token]);
                largest = Math.Max(largest, Math.Abs(ours[token]));
            }
        }

        return worst with { LargestLogit = largest };
    }
}
