using LLama;
using LLama.Common;
using LLama.Native;

namespace OrtPeft.LlamaCpp.Tests;

/// <summary>A GGUF file in llama.cpp, on one thread.</summary>
internal sealed class LlamaRun : IDisposable
{
    private readonly LLamaWeights _weights;
    private readonly LLamaContext _context;

    public LlamaRun(string model, string? lora = null)
    {
        var settings = new ModelParams(model)
        {
            ContextSize = 64,
            GpuLayerCount = 0,
            Threads = 1,
            BatchThreads = 1,
            TypeK = GGMLType.GGML_TYPE_F32, // half precision by default
            TypeV = GGMLType.GGML_TYPE_F32,
        };
        _weights = LLamaWeights.LoadFromFile(settings);
        _context = _weights.CreateContext(settings);
        if (lora is not null)
            _context.NativeHandle.SetLoraAdapters([(_weights.NativeHandle.LoadLoraFromFile(lora), 1f)]);
    }

    public IReadOnlyDictionary<string, string> Metadata => _weights.Metadata;

    public int[] Tokens(string text) =>
        [.. _context.Tokenize(text, addBos: false, special: true).Select(static t => (int)t)];

    /// <summary>The logits after a prompt.</summary>
    public float[] Logits(int[] prompt)
    {
        var batch = new LLamaBatch();
        foreach (var (position, token) in prompt.Index())
            batch.Add(token, position, LLamaSeqId.Zero, logits: position == prompt.Length - 1);
        Assert.Equal(DecodeResult.Ok, _context.NativeHandle.Decode(batch));
        return _context.NativeHandle.GetLogitsIth(prompt.Length - 1).ToArray();
    }

    /// <summary>The likeliest tokens after a prompt, one by one.</summary>
    public int[] Greedy(int[] prompt, int count)
    {
        var found = new List<int> { Likeliest(Logits(prompt)) };
        while (found.Count < count)
        {
            var batch = new LLamaBatch();
            batch.Add(found[^1], prompt.Length + found.Count - 1, LLamaSeqId.Zero, logits: true);
            Assert.Equal(DecodeResult.Ok, _context.NativeHandle.Decode(batch));
            found.Add(Likeliest(_context.NativeHandle.GetLogitsIth(0).ToArray()));
        }

        return [.. found];
    }

    public void Dispose()
    {
        _context.Dispose();
        _weights.Dispose();
    }

    private static int Likeliest(float[] logits) => logits.AsSpan().IndexOf(logits.Max());
}
