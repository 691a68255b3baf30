using OrtPeft.Models.Llama;
using OrtPeft.Models.Qwen2;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Numerics;

namespace OrtPeft.Models.Tests.Llama;

/// <summary>Two-layer models of every kind, and batches for them.</summary>
internal static class SmallLlama
{
    private static readonly LlamaConfig Plain = Small(new LlamaConfig());

    /// <summary>What is special about a model, and its description.</summary>
    public static IReadOnlyDictionary<string, LlamaConfig> Configs { get; } = new Dictionary<string, LlamaConfig>
    {
        ["as many key heads"] = Plain with { KeyValueHeads = null },
        ["grouped"] = Plain,
        ["grouped, tied"] = Plain with { TieWordEmbeddings = true },
        ["one key head"] = Plain with { KeyValueHeads = 1 },
        ["wide heads"] = Plain with { HeadDim = 12 },
        ["attention biases"] = Plain with { HasInputBiases = true, HasOutputBias = true },
        ["all biases"] = Plain with { HasInputBiases = true, HasOutputBias = true, HasMlpBiases = true },
        ["linear scaling"] = Plain with { RopeScaling = new RopeScaling { Type = "linear", Factor = 2.5f } },
        ["llama3 scaling"] = Plain with { RopeScaling = Llama3 },
        ["other base and epsilon"] = Plain with { RopeTheta = 500, RmsNormEpsilon = 0.1f },
        ["gelu"] = Plain with { Activation = "gelu_pytorch_tanh" },
        ["relu, as many key heads, tied"] = Plain with
        {
            Activation = "relu",
            KeyValueHeads = null,
            TieWordEmbeddings = true,
        },
        ["qwen2"] = Small(Qwen2Presets.Find("tiny-qwen2")),
        ["qwen2, a window in one layer"] = Small(Qwen2Presets.Find("tiny-qwen2")) with
        {
            SlidingWindow = new SlidingWindow(2, 0),
        },
        ["qwen2, windows"] = Small(Qwen2Presets.Find("tiny-qwen2")) with { SlidingWindow = new SlidingWindow(3, 0, 1) },
        ["qwen2, untied"] = Small(Qwen2Presets.Find("tiny-qwen2")) with { TieWordEmbeddings = false },
    };

    /// <summary>With an original length of 40 tokens one pair stays, one is slowed in full, and two in part.</summary>
    private static RopeScaling Llama3 => new()
    {
        Type = "llama3",
        Factor = 8,
        LowFrequencyFactor = 0.05f,
        HighFrequencyFactor = 4,
        OriginalPositions = 40,
    };

    /// <summary>Two rows of seven tokens each: the mask and the places.</summary>
    public static IReadOnlyDictionary<string, (long[] Mask, long[] Positions)> Batches { get; } =
        new Dictionary<string, (long[] Mask, long[] Positions)>
        {
            ["plain"] = ([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], [.. Counting, .. Counting]),
            ["right-padded"] = ([1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1], [.. Counting, .. Counting]),
            ["left-padded"] = ([0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], [.. Counting, .. Counting]),
            ["left-padded, places from the mask"] =
                ([0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 1, 2, 3, .. Counting]),
            ["far places"] =
                ([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], [40, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54, 55, 56]),
        };

    public static long[] Tokens => [3, 17, 0, 49, 3, 8, 21, 5, 5, 11, 30, 2, 48, 1];

    private static long[] Counting => [0, 1, 2, 3, 4, 5, 6];

    /// <summary>Weights without a pattern: norms around 1, biases not zero, so that nothing cancels.</summary>
    public static Dictionary<string, Tensor> Weights(LlamaConfig config) =>
        config.ToArchitecture().Weights.ToDictionary(static w => w.Name, static w =>
        {
            var random = new SplitMix64(11, w.Name);
            var values = new float[w.Count];
            foreach (ref var value in values.AsSpan())
                value = w.InitialMean + random.NextUniform(-0.5f, 0.5f);
            return Tensor.Of<float>(values, [.. w.Shape.ToStatic()!.Value]);
        });

    public static LlamaReference Reference(LlamaConfig config) => new(config, Weights(config).ToDictionary(
        static w => w.Key, static w => Array.ConvertAll(w.Value.ToFloat32(), static v => (double)v)));

    /// <summary>Feeds for a range of a batch's tokens, with caches to go on from, or empty ones.</summary>
    public static Dictionary<string, Tensor> Feeds(
        LlamaConfig config,
        string batch,
        Range range,
        IReadOnlyDictionary<string, Tensor>? results = null)
    {
        var (mask, positions) = Batches[batch];
        var (start, length) = range.GetOffsetAndLength(7);
        var feeds = new Dictionary<string, Tensor>
        {
            ["input_ids"] = Columns(Tokens, start, length),
            ["attention_mask"] = Columns(mask, 0, start + length),
            ["position_ids"] = Columns(positions, start, length),
        };
        foreach (var name in CacheNames(config))
        {
            feeds[$"past_key_values.{name}"] = results?[$"present.{name}"]
                ?? Tensor.Of<float>([], [2, config.CacheHeads, 0, config.HeadSize]);
        }

        return feeds;
    }

    public static IEnumerable<string> CacheNames(LlamaConfig config) =>
        Enumerable.Range(0, config.Layers).SelectMany(static layer => new[] { $"{layer}.key", $"{layer}.value" });

    private static Tensor Columns(long[] twoRows, int start, int length) => Tensor.Of<long>(
        [.. twoRows[start..(start + length)], .. twoRows[(7 + start)..(7 + start + length)]], [2, length]);

    private static LlamaConfig Small(LlamaConfig config) => config with
    {
        VocabSize = 50,
        Positions = 64,
        HiddenSize = 32,
        IntermediateSize = 40,
        Layers = 2,
        Heads = 4,
        KeyValueHeads = 2,
        HeadDim = null,
    };
}
