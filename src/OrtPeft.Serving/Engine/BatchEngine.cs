using System.Diagnostics.CodeAnalysis;
using Microsoft.ML.OnnxRuntime;
using OrtPeft.Adapters.Merging;
using OrtPeft.Inference;
using OrtPeft.Inference.Generation;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Serving.Embeddings;

namespace OrtPeft.Serving.Engine;

/// <summary>
/// Computes many requests at once: one thread runs the graph step by step, a token for every running row, and rows of any
/// adapters join and leave between steps. Prompts are run one after the other, in chunks, between the steps. All members
/// may be called from any thread.
/// </summary>
internal sealed class BatchEngine : IDisposable
{
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _work = new(0);
    private readonly DecoderRuns _runs;
    private readonly RowBatch? _batch;
    private readonly ServingOptions _options;
    private readonly long _cacheTokens;
    private readonly Thread _thread;

    // Under the lock.
    private readonly LinkedList<EngineRequest> _waiting = new();
    private readonly List<Action> _changes = [];
    private bool _isClosed;

    // Of the engine's thread.
    private readonly List<EngineRequest> _starting = [];
    private readonly List<EngineRequest> _running = [];
    private readonly Dictionary<EngineRow, EngineRequest> _requests = [];

    private BatchEngine(DecoderRuns runs, RowBatch? batch, string? whyAlone, ServingOptions options)
    {
        (_runs, _batch, WhyAlone, _options) = (runs, batch, whyAlone, options);
        var memory = options.CacheMemory ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4;
        // A step holds the caches twice: as they were, and a token longer.
        _cacheTokens = memory / Math.Max(1, 2 * runs.BytesPerToken);
        Base = new EngineSlot(0);
        _thread = new Thread(Loop) { IsBackground = true, Name = "OrtPeft engine" };
    }

    /// <summary>The model without an adapter.</summary>
    public EngineSlot Base { get; }

    /// <summary>The most requests that can be computed or wait.</summary>
    public int Capacity => _options.MaxBatch + _options.MaxQueue;

    /// <summary>Why rows are computed one after the other; null where they go together.</summary>
    public string? WhyAlone { get; }

    /// <summary>Tokens that the graph takes at most; null where it sets no limit.</summary>
    public int? FixedLength => _runs.FixedLength;

    /// <summary>The scores per position.</summary>
    public int? Vocabulary => HasLogits ? LogitRows.WidthOf(_runs.Graph) : (int?)DecoderRoles.EmbeddingRows(_runs.Graph);

    /// <summary>Whether the graph has a head, whose scores choose tokens.</summary>
    public bool HasLogits => _runs.HasLogits;

    /// <summary>The numbers of an embedding; 0 where none can be made.</summary>
    public int EmbeddingWidth { get; private init; }

    /// <summary>Why no embedding can be made; null where it can.</summary>
    public string? WhyNoEmbeddings { get; private init; }

    /// <summary>The counts of the engine's work so far.</summary>
    public EngineCounts Counts { get; } = new();

    /// <summary>Opens an engine and the slots of its first adapters.</summary>
    /// <param name="slots">A decoder under Optimum's names, with slots.</param>
    /// <param name="options">Limits.</param>
    /// <param name="pooling">How hidden states are pooled; null where they are not wanted.</param>
    [SuppressMessage("Reliability", "CA2000", Justification = "The engine owns the runs.")]
    public static BatchEngine Open(LoraSlots slots, ServingOptions options, TextPooling? pooling = null)
    {
        var runs = DecoderRuns.Open(slots, options.Runtime, pooling is null ? null : HiddenStates.OutputOf(slots.Model.Graph));
        try
        {
            string? why = null;
            var batch = options.MaxBatch == 1 || !runs.HasLogits ? null : TogetherCheck.Find(runs, slots, out why);
            string? whyNoEmbeddings = null;
            var width = pooling is null ? 0 : runs.TryPool(pooling, out whyNoEmbeddings);
            var engine = new BatchEngine(runs, batch, why, options)
            {
                EmbeddingWidth = width,
                WhyNoEmbeddings = whyNoEmbeddings,
            };
            engine._thread.Start();
            return engine;
        }
        catch
        {
            runs.Dispose();
            throw;
        }
    }

    /// <summary>Gives an adapter a slot, between two steps.</summary>
    public Task<EngineSlot> Add(LoraFactorsOfSlots factors) =>
        Between(() => new EngineSlot(_runs.Slots.Add(factors)));

    /// <summary>Takes an adapter's slot away once the requests that use it have ended.</summary>
    public void Remove(EngineSlot slot)
    {
        lock (_lock)
        {
            slot.IsUnloaded = true;
            Release(slot, 0);
        }
    }

    /// <summary>Asks for an answer, or for the hidden states of a prompt.</summary>
    /// <exception cref="QueueFullException">Too many wait already.</exception>
    public EngineRequest Start(
        EngineSlot slot,
        IReadOnlyList<int> prompt,
        GenerationOptions options,
        int? likeliest,
        CancellationToken cancellation,
        HiddenPool? pool = null)
    {
        var request = new EngineRequest(slot, prompt, options, likeliest, Wake, cancellation, pool);
        lock (_lock)
        {
            if (_isClosed || _waiting.Count >= _options.MaxQueue + FreeRows())
            {
                request.Dispose();
                throw _isClosed ? new ObjectDisposedException(nameof(BatchEngine)) : new QueueFullException(_options.MaxQueue);
            }

            slot.Users++;
            _waiting.AddLast(request);
            Counts.Waiting = _waiting.Count;
        }

        Wake();
        return request;
    }

    /// <summary>Ends all requests and frees the session.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_isClosed)
                return;
            _isClosed = true;
        }

        Wake();
        _thread.Join();
        _batch?.Dispose();
        _runs.Dispose();
        _work.Dispose();
    }

    private int FreeRows() => Math.Max(0, _options.MaxBatch - Counts.Running);

    private void Wake()
    {
        try
        {
            _work.Release();
        }
        catch (ObjectDisposedException)
        {
            // A request was cancelled after the end.
        }
    }

    private Task<T> Between<T>(Func<T> change)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isClosed, this);
            _changes.Add(() =>
            {
                try
                {
                    done.SetResult(change());
                }
                catch (Exception e)
                {
                    done.SetException(e);
                }
            });
        }

        Wake();
        return done.Task;
    }

    private void Loop()
    {
        while (true)
        {
            lock (_lock)
            {
                if (_isClosed)
                    break;
            }

            if (!Advance())
                _work.Wait();
        }

        EndAll();
    }

    /// <summary>One step of everything.</summary>
    /// <returns>Whether there is more to do.</returns>
    private bool Advance()
    {
        Action[] changes;
        lock (_lock)
        {
            changes = [.. _changes];
            _changes.Clear();
        }

        foreach (var change in changes)
            change();
        DropCancelled();
        Admit();
        Begin();
        GoOn();
        lock (_lock)
            return _changes.Count > 0 || _starting.Count > 0 || _running.Count > 0;
    }

    private void DropCancelled()
    {
        foreach (var request in _running.Concat(_starting).Where(static r => r.Cancellation.IsCancellationRequested))
            request.Fail(new OperationCanceledException(request.Cancellation));
        Settle([]);
        EngineRequest[] gone;
        lock (_lock)
        {
            gone = [.. _waiting.Where(static r => r.Cancellation.IsCancellationRequested)];
            foreach (var request in gone)
                _waiting.Remove(request);
            Counts.Waiting = _waiting.Count;
        }

        foreach (var request in gone)
        {
            request.Fail(new OperationCanceledException(request.Cancellation));
            Release(request);
        }
    }

    /// <summary>Takes those that wait, as long as there is room for them.</summary>
    private void Admit()
    {
        lock (_lock)
        {
            while (_waiting.First is { Value: var next })
            {
                var rows = _running.Concat(_starting).Append(next).ToArray();
                var isTooMany = rows.Length > _options.MaxBatch
                    || (long)rows.Length * rows.Max(static r => r.LongestLength) > _cacheTokens;
                if (rows.Length > 1 && isTooMany)
                    break;
                _waiting.RemoveFirst();
                _starting.Add(next);
            }

            (Counts.Waiting, Counts.Running) = (_waiting.Count, _running.Count + _starting.Count);
        }
    }

    /// <summary>Runs prompts, of as many tokens as a chunk has, and lets those that are through join.</summary>
    private void Begin()
    {
        var through = new List<EngineRequest>();
        for (var budget = DecoderRuns.Chunk; budget > 0 && _starting.Count > through.Count;)
        {
            var request = _starting[through.Count];
            try
            {
                var before = request.Row.Cached;
                var isThrough = Begin(request);
                budget -= Math.Max(1, (_runs.HasCache ? request.Row.Cached : request.Row.Ids.Count) - before);
                if (!isThrough)
                    continue;
            }
            catch (Exception e)
            {
                request.Fail(e);
            }

            through.Add(request);
        }

        _starting.RemoveRange(0, through.Count);
        _running.AddRange(through);
        Settle([.. through.Where(static r => !r.IsOver)]);
    }

    /// <summary>Runs a chunk of a prompt.</summary>
    /// <returns>Whether the prompt is through.</returns>
    private bool Begin(EngineRequest request)
    {
        if (request.Pool is { } pool)
        {
            if (!_runs.Pool(request.Row, pool))
                return false;
            request.Finish();
            return true;
        }

        if (_runs.Alone(request.Row) is not { } logits)
            return false;
        request.Take(logits);
        return true;
    }

    private void GoOn()
    {
        if (_running.Count == 0)
            return;
        try
        {
            if (_batch is null)
            {
                foreach (var request in _running)
                    request.Take(_runs.Alone(request.Row)!);
            }
            else
            {
                using var value = _batch.Step();
                var logits = new LogitRows(value);
                EngineRequest[] requests = [.. _batch.Rows.Select(row => _requests[row])];
                if (requests.Length > 1 && requests.Any(static r => !r.Options.IsGreedy))
                    Parallel.For(0, requests.Length, i => requests[i].Take(logits[i]));
                else
                    foreach (var (i, request) in requests.Index())
                        request.Take(logits[i]);
            }

            Counts.Step(_running.Count);
        }
        catch (OnnxRuntimeException) when (_batch is not null)
        {
            GoOnApart();
            return;
        }
        catch (Exception e)
        {
            foreach (var request in _running)
                request.Fail(e);
            _batch?.Clear();
        }

        Settle([]);
    }

    /// <summary>A row that cannot be computed, as one that grows beyond the model's positions, must not end the others: each
    /// does this step alone.</summary>
    private void GoOnApart()
    {
        try
        {
            _batch!.Disband();
        }
        catch (Exception e)
        {
            foreach (var request in _running)
                request.Fail(e);
            _batch!.Clear();
        }

        foreach (var request in _running.Where(static r => !r.IsOver))
        {
            try
            {
                request.Take(_runs.Alone(request.Row)!);
            }
            catch (OnnxRuntimeException e)
            {
                request.Fail(e);
            }
        }

        Settle([.. _running.Where(static r => !r.IsOver)]);
    }

    /// <summary>Lets rows join the batch, and those that are over leave it.</summary>
    private void Settle(IReadOnlyCollection<EngineRequest> joining)
    {
        EngineRequest[] over = [.. _running.Concat(_starting).Where(static r => r.IsOver)];
        if (over.Length == 0 && joining.Count == 0)
            return;
        _running.RemoveAll(static r => r.IsOver);
        _starting.RemoveAll(static r => r.IsOver);
        try
        {
            _batch?.Change(
                [.. over.Select(static r => r.Row).Where(_batch.Rows.Contains)], [.. joining.Select(static r => r.Row)]);
        }
        catch (Exception e)
        {
            foreach (var request in _running)
                request.Fail(e);
            _batch!.Clear();
            over = [.. over, .. _running];
            _running.Clear();
        }

        foreach (var request in joining.Where(static r => !r.IsOver))
            _requests[request.Row] = request;
        foreach (var request in over)
        {
            _requests.Remove(request.Row);
            Release(request);
        }

        lock (_lock)
            Counts.Running = _running.Count + _starting.Count;
    }

    private void Release(EngineRequest request)
    {
        request.Dispose();
        lock (_lock)
            Release(request.Slot, 1);
    }

    /// <summary>Under the lock: a slot that nobody uses and that has no name any more becomes free.</summary>
    private void Release(EngineSlot slot, int users)
    {
        slot.Users -= users;
        if (!slot.IsUnloaded || slot.Users > 0 || _isClosed)
            return;
        slot.IsUnloaded = false;
        _changes.Add(() => _runs.Slots.Clear(slot.Index));
        Wake();
    }

    private void EndAll()
    {
        EngineRequest[] all;
        lock (_lock)
        {
            all = [.. _waiting, .. _starting, .. _running];
            _waiting.Clear();
            _changes.Clear();
        }

        foreach (var request in all)
        {
            request.Fail(new ObjectDisposedException(nameof(BatchEngine)));
            request.Dispose();
        }
    }
}
