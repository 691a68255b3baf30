using Microsoft.ML.OnnxRuntime;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Runtime.Feeding;

namespace OrtPeft.Inference.Generation;

/// <summary>
/// One sequence and its cached keys and values. What a step returns as present is the next step's past, handed on as it
/// is, never copied through managed memory. Without a cache the whole sequence is run again. Not thread-safe.
/// </summary>
internal sealed class DecoderState(Generator generator) : IDisposable
{
    private readonly List<long> _ids = [];
    private OrtValue[] _cache = [];
    private int _cachedLength;
    private int? _promptLength; // what the first step appends

    /// <summary>Tokens appended so far.</summary>
    public int Length => _ids.Count;

    /// <summary>Appends tokens and chooses the one that comes after them.</summary>
    public int Next(IEnumerable<int> tokens, Sampler sampler)
    {
        foreach (var token in tokens)
            _ids.Add(token);
        long[] fresh = [.. _ids.Skip(_cachedLength)];
        using var feeds = generator.Window.Feed(generator.Inputs, fresh, _cachedLength);
        using var binding = generator.Session.CreateIoBinding();
        Bind(binding, feeds);
        using var options = new RunOptions();
        var outputs = generator.Session.RunWithBoundResults(options, binding).ToArray();
        Keep(outputs[1..]);
        using var logits = outputs[0];
        var row = generator.Window.Last(new LogitRows(logits), fresh.Length);
        return sampler.Next(row, _ids, _promptLength ??= _ids.Count);
    }

    public void Dispose() => Keep([]);

    private void Bind(OrtIoBinding binding, DecoderFeeds feeds)
    {
        foreach (var (name, value) in feeds.Values)
            binding.BindInput(name, value);
        foreach (var (past, value) in generator.Inputs.Pasts.Zip(_cache))
            binding.BindInput(past.Name, value);
        binding.BindOutputToDevice(DecoderNames.Logits, OrtMemoryInfo.DefaultInstance);
        foreach (var present in generator.Presents)
            binding.BindOutputToDevice(present, generator.CacheMemory);
    }

    private void Keep(OrtValue[] cache)
    {
        foreach (var value in _cache)
            value.Dispose();
        _cache = cache;
        _cachedLength = cache.Length > 0 ? _ids.Count : 0;
    }
}
