using System.Collections.Immutable;
using Microsoft.ML.OnnxRuntime;
using OrtPeft.Adapters.Merging;
using OrtPeft.Inference;
using OrtPeft.Inference.Generation;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Runtime.Feeding;
using OrtPeft.Runtime.Sessions;
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
    private SlotTensors _slots;
    private int _boundVersion = -1;

    private DecoderRuns(LoraSlots slots, DecoderInputs inputs, TokenWindow window, RuntimeOptions options)
    {
        var graph = slots.Model.Graph;
        (Graph, Inputs, _window) = (graph, inputs, window);
        var carries = !inputs.Pasts.IsEmpty && window.Length is null && !Generator.CountsFromZero(graph, inputs.Pasts);
        _presents = carries ? CachePairs.Of(graph, inputs.Pasts) : [];
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
            if (Graph.Inputs.Any(Onnx.Passes.RowInputs.IsCachePosition) || Inputs.Pasts.Any(CacheInputs.IsState))
                return "the cache has places in common for all rows";
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
    /// <exception cref="GraphException">The graph is not such a decoder.</exception>
    public static DecoderRuns Open(LoraSlots slots, RuntimeOptions options)
    {
        var own = slots.All.SelectMany(static s => (string[])[s.InputOfA, s.InputOfB]).Append(LoraSlots.Choice)
            .ToHashSet(StringComparer.Ordinal);
        var inputs = DecoderInputs.Of(slots.Model.Graph, own);
        LogitRows.Check(slots.Model.Graph);
        var window = TokenWindow.Of(slots.Model.Graph);
        var runs = new DecoderRuns(slots, inputs, window, options);
        try
        {
            // A fixed length takes padding on the right; what fills it may not matter.
            if (window.Length is not null)
                PaddingCheck.Run(slots.Model.Graph, f => runs.Run(f, [], new long[window.Rows])[0], inputs, window);
            return runs;
        }
        catch
        {
            runs.Dispose();
            throw;
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
        var length = HasCache ? Math.Min(Chunk, row.Ids.Count - row.Cached) : row.Ids.Count;
        long[] tokens = [.. row.Ids.Skip(row.Cached).Take(length)];
        using var feeds = _window.Feed(Inputs, tokens, row.Cached);
        var outputs = Run(feeds, row.Own, [.. Enumerable.Repeat((long)row.Slot, _window.Rows)]);
        using var logits = outputs[0];
        row.Keep(outputs[1..]);
        if (HasCache)
            row.Cached += length;
        return HasCache && row.Cached < row.Ids.Count
            ? null
            : _window.Last(new LogitRows(logits), length).ToArray();
    }

    /// <summary>Runs a graph on feeds.</summary>
    /// <param name="feeds">What is fed besides caches and slots.</param>
    /// <param name="caches">The caches; none at the first run.</param>
    /// <param name="rows">The slot of each row.</param>
    /// <returns>Logits and caches; the caller disposes them.</returns>
    public OrtValue[] Run(DecoderFeeds feeds, OrtValue[] caches, long[] rows)
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
        _binding.BindOutputToDevice(DecoderNames.Logits, OrtMemoryInfo.DefaultInstance);
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
