using System.Collections.Immutable;
using Microsoft.ML.OnnxRuntime;
using OrtPeft.Adapters.Merging;
using OrtPeft.Inference;
using OrtPeft.Inference.Generation;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Runtime.Feeding;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Serving.Embeddings;
using OrtPeft.Tensors;

namespace OrtPeft.Serving.Engine;

/// <summary>Runs a decoder with slots, on one row or on a batch. For one thread at a time.</summary>
internal sealed class DecoderRuns : IDisposable
{
    /// <summary>The most tokens of a prompt that are run at once, so that running answers go on meanwhile.</summary>
    public const int Chunk = 256;

    private readonly ModelSession _session;
    private readonly OrtIoBinding _binding;
    private readonly RunOptions _options = new();
    private readonly TokenWindow _window;
    private readonly ImmutableArray<string> _presents;
    private readonly string? _choice;
    private readonly string? _hidden;
    private SlotTensors _slots;
    private int _boundVersion = -1;

    private DecoderRuns(LoraSlots slots, DecoderInputs inputs, TokenWindow window, string? hidden, RuntimeOptions options)
    {
        var graph = slots.Model.Graph;
        (Graph, Inputs, _window, _hidden) = (graph, inputs, window, hidden);
        _presents = CachePairs.Carried(graph, inputs.Pasts, window);
        _choice = slots.All.Count > 0 ? LoraSlots.Choice : null;
        _slots = new SlotTensors(slots.All);
        // Every step has another shape, of which ONNX Runtime would keep a pattern each.
        options = options with { MemoryPatterns = false };
        _session = ModelSession.Open(QuantizedModel.For(slots.Model, options), options);
        _binding = _session.Session.CreateIoBinding();
    }

    /// <summary>The graph.</summary>
    public Graph Graph { get; }

    /// <summary>How it is fed.</summary>
    public DecoderInputs Inputs { get; }

    /// <summary>Tokens that the graph takes at most; null where it sets no limit.</summary>
    public int? FixedLength => _window.Length;

    /// <summary>Whether the graph has a head, whose scores choose tokens.</summary>
    public bool HasLogits => HiddenStates.HasHead(Graph);

    /// <summary>Whether a new token costs one token's work.</summary>
    public bool HasCache => !_presents.IsEmpty;

    /// <summary>The adapters' factors.</summary>
    public SlotTensors Slots => _slots;

    /// <summary>Why rows cannot run in one batch, by the inputs' axes; null where they may.</summary>
    public string? WhyNotTogether
    {
        get
        {
            if (!HasCache)
                return _window.Length is null ? "the graph has no cache" : "the graph has a fixed length";
            if (Graph.Find(DecoderNames.Ids)!.Shape is { Rank: 2 } ids && ids[0].Value is not null)
                return "the graph has a fixed batch";
            if (Graph.Inputs.Any(static i => SharedInputs.ArePlaces(i) || SharedInputs.IsPastLength(i) || SharedInputs.IsTotalLength(i))
                || Inputs.Pasts.Any(CacheInputs.IsState))
                return "all rows have places in common";
            if (Graph.Inputs.All(static i => i.Name != DecoderNames.Mask))
                return "the graph takes no attention mask";
            return LengthChoice.IsIn(Graph) ? "the graph encodes positions by the longest row of a batch" : null;
        }
    }

    /// <summary>The bytes that the caches of one token take.</summary>
    public long BytesPerToken => Inputs.Pasts.Sum(static p => p.Type.BitSize() / 8
        * p.Shape!.Index().Where(d => d.Index != p.Shape!.Rank - 2).Aggregate(1L, static (n, d) => n * (d.Item.Value ?? 1)));

    /// <summary>Opens a session.</summary>
    /// <param name="slots">A decoder under Optimum's names, with slots.</param>
    /// <param name="options">How to run it.</param>
    /// <param name="hidden">The output that gives the last hidden states; null where they are not wanted. A graph with it
    /// needs no logits.</param>
    /// <exception cref="GraphException">The graph is not such a decoder.</exception>
    public static DecoderRuns Open(LoraSlots slots, RuntimeOptions options, string? hidden = null)
    {
        var own = slots.All.SelectMany(static s => (string[])[s.InputOfA, s.InputOfB]).Append(LoraSlots.Choice)
            .ToHashSet(StringComparer.Ordinal);
        var inputs = DecoderInputs.Of(slots.Model.Graph, own);
        if (hidden is null || HiddenStates.HasHead(slots.Model.Graph))
            LogitRows.Check(slots.Model.Graph);
        var window = TokenWindow.Of(slots.Model.Graph);
        var runs = new DecoderRuns(slots, inputs, window, hidden, options);
        try
        {
            if (runs.HasLogits)
            {
                // A fixed length takes padding on the right; what fills it may not matter, nor may tokens to come.
                PaddingCheck.Run(slots.Model.Graph, Logits, inputs, window);
                LaterTokenCheck.Run(slots.Model.Graph, Logits, inputs, window, otherwise: ", or for embeddings export this "
                    + "one for feature extraction, with the output last_hidden_state");
            }

            return runs;
        }
        catch
        {
            runs.Dispose();
            throw;
        }

        OrtValue Logits(DecoderFeeds feeds)
        {
            var outputs = runs.Run(feeds, [], new long[window.Rows]);
            foreach (var cache in outputs[1..])
                cache.Dispose();
            return outputs[0];
        }
    }

    /// <summary>Runs with other factors for a while.</summary>
    /// <param name="slots">The factors; null makes fresh ones.</param>
    /// <returns>Those from before.</returns>
    public SlotTensors Exchange(SlotTensors slots)
    {
        (var before, _slots, _boundVersion) = (_slots, slots, -1);
        return before;
    }

    /// <summary>Runs the tokens of a row that caches do not hold, at most <see cref="Chunk"/> of them.</summary>
    /// <param name="row">The row; its caches grow.</param>
    /// <returns>The logits after its last token, copied; null while there are more tokens.</returns>
    public float[]? Alone(EngineRow row)
    {
        using var logits = Next(row, DecoderNames.Logits, out var length);
        return HasCache && row.Cached < row.Ids.Count
            ? null
            : _window.Last(new LogitRows(logits), length).ToArray();
    }

    /// <summary>Runs the tokens of a row that caches do not hold, at most <see cref="Chunk"/> of them, and pools their last
    /// hidden states.</summary>
    /// <param name="row">The row; its caches grow.</param>
    /// <param name="pool">Receives the states.</param>
    /// <returns>Whether the row has no more tokens.</returns>
    /// <exception cref="GraphException">The graph gives fewer states than tokens.</exception>
    public bool Pool(EngineRow row, HiddenPool pool)
    {
        using var value = Next(row, _hidden!, out var length);
        var states = new LogitRows(value);
        if (states.Count != length)
        {
            throw new GraphException(
                $"the graph gives {states.Count} hidden states for {length} tokens; export it with those of all tokens");
        }

        pool.Add(states);
        return !HasCache || row.Cached == row.Ids.Count;
    }

    /// <summary>Pools a few tokens on trial.</summary>
    /// <param name="pooling">How.</param>
    /// <param name="why">Why hidden states cannot be pooled; null where they can.</param>
    /// <returns>The numbers of an embedding; 0 where there is none.</returns>
    public int TryPool(TextPooling pooling, out string? why)
    {
        why = _hidden is null ? "no product with constant weights makes the logits"
            : _window.Length is not null || _window.Rows != 1 ? "the graph's tokens have fixed axes"
            : null;
        if (why is not null)
            return 0;
        try
        {
            using var row = new EngineRow(0, [0, 0]);
            var pool = new HiddenPool(pooling);
            Pool(row, pool);
            _ = pool.Result(null);
            why = pooling.Width is { } stated && stated != pool.Width
                ? $"{TextPooling.PoolingFile} states {stated} numbers, and the hidden states have {pool.Width}"
                : null;
            return pool.Width * pooling.Modes.Count;
        }
        catch (Exception e) when (e is OnnxRuntimeException or GraphException or NotSupportedException
            or NotFiniteNumberException)
        {
            why = e is OnnxRuntimeException refused ? RefusedGraph.Reason(refused) : e.Message.TrimEnd('.');
            return 0;
        }
    }

    private OrtValue Next(EngineRow row, string output, out int length)
    {
        length = HasCache ? Math.Min(Chunk, row.Ids.Count - row.Cached) : row.Ids.Count;
        long[] tokens = [.. row.Ids.Skip(row.Cached).Take(length)];
        using var feeds = _window.Feed(Inputs, tokens, row.Cached);
        var outputs = Run(feeds, row.Own, [.. Enumerable.Repeat((long)row.Slot, _window.Rows)], output);
        row.Keep(outputs[1..]);
        if (HasCache)
            row.Cached += length;
        return outputs[0];
    }

    /// <summary>Runs a graph on feeds.</summary>
    /// <param name="feeds">What is fed besides caches and slots.</param>
    /// <param name="caches">The caches; none at the first run.</param>
    /// <param name="rows">The slot of each row.</param>
    /// <param name="output">What is wanted before the caches.</param>
    /// <returns>The output and caches; the caller disposes them.</returns>
    public OrtValue[] Run(DecoderFeeds feeds, OrtValue[] caches, long[] rows, string output = DecoderNames.Logits)
    {
        using var choice = TensorValues.Over(rows, rows.Length);
        foreach (var (name, value) in feeds.Values)
            _binding.BindInput(name, value);
        foreach (var (past, value) in Inputs.Pasts.Zip(caches))
            _binding.BindInput(past.Name, value);
        if (_choice is not null)
            _binding.BindInput(_choice, choice);
        if (_boundVersion != _slots.Version)
            _slots.BindTo(_binding);
        _boundVersion = _slots.Version;
        _binding.BindOutputToDevice(output, OrtMemoryInfo.DefaultInstance);
        foreach (var present in _presents)
            _binding.BindOutputToDevice(present, OrtMemoryInfo.DefaultInstance);
        var outputs = _session.Session.RunWithBoundResults(_options, _binding).ToArray();
        _binding.ClearBoundOutputs();
        return outputs;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _binding.Dispose();
        _options.Dispose();
        _session.Dispose();
        _slots.Dispose();
    }
}
