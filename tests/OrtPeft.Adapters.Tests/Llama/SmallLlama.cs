using OrtPeft.Models;
using OrtPeft.Models.Llama;
using OrtPeft.Models.Qwen2;
using OrtPeft.Onnx;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Numerics;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Llama;

/// <summary>Decoders of two layers, small enough to move every weight, and batches for them.</summary>
internal static class SmallLlama
{
    private const int Vocabulary = 20;

    public static IReadOnlyDictionary<string, LlamaConfig> Configs { get; } = new Dictionary<string, LlamaConfig>
    {
        ["llama"] = Small(new LlamaConfig()) with { KeyValueHeads = 2 },
        ["llama, tied, one head each"] = Small(new LlamaConfig()) with { KeyValueHeads = 4, TieWordEmbeddings = true },
        ["llama, biases, scaled"] = Small(new LlamaConfig()) with
        {
            HasInputBiases = true,
            HasOutputBias = true,
            HasMlpBiases = true,
            RopeScaling = new RopeScaling { Type = "llama3", Factor = 4, OriginalPositions = 16 },
        },
        ["qwen2, tied"] = Small(Qwen2Presets.Find("tiny-qwen2")),
    };

    /// <summary>
    /// Rows of five tokens. In the left-padded one, the first real token is not a target: what predicts it is padding,
    /// whose scores are all rounded to the lowest number, so that HF's gradient there is no derivative.
    /// </summary>
    public static IReadOnlyDictionary<string, (long[] Mask, long[] Labels)> Batches { get; } =
        new Dictionary<string, (long[] Mask, long[] Labels)>
        {
            ["plain"] = ([1, 1, 1, 1, 1, 1, 1, 1, 1, 1], [1, 7, 7, 19, 3, -100, -100, 4, 0, 12]),
            ["right-padded"] = ([1, 1, 1, 0, 0, 1, 1, 1, 1, 1], [1, 7, 7, -100, -100, 2, 9, 4, 0, 12]),
            ["left-padded"] = ([0, 0, 1, 1, 1, 1, 1, 1, 1, 1], [-100, -100, -100, 19, 3, 2, 9, 4, 0, 12]),
        };

    public static TheoryData<string, string> Cases
    {
        get
        {
            var cases = new TheoryData<string, string>();
            foreach (var config in Configs.Keys)
                foreach (var batch in Batches.Keys)
                    cases.Add(config, batch);
            return cases;
        }
    }

    /// <summary>Random weights; norms are around 1 and biases not zero, so that nothing cancels.</summary>
    public static Model Model(string config, int? layers = null)
    {
        var architecture = (Configs[config] with { Layers = layers ?? Configs[config].Layers }).ToArchitecture();
        return architecture.Build(architecture.Weights.ToDictionary(static w => w.Name, static w =>
        {
            var random = new SplitMix64(5, w.Name);
            var values = new float[w.Count];
            foreach (ref var value in values.AsSpan())
                value = w.InitialMean + random.NextUniform(-0.5, 0.5);
            return Tensor.Of<float>(values, [.. w.Shape.ToStatic()!.Value]);
        }));
    }

    public static Dictionary<string, Tensor> Batch(string name)
    {
        var (mask, labels) = Batches[name];
        return DecoderLogits.WithPositions(new Dictionary<string, Tensor>
        {
            ["input_ids"] = Tensor.Of<long>([1, 7, 7, 19, 3, 2, 9, 4, 0, 12], [2, 5]),
            ["attention_mask"] = Tensor.Of<long>(mask, [2, 5]),
            ["labels"] = Tensor.Of<long>(labels, [2, 5]),
        });
    }

    private static LlamaConfig Small(LlamaConfig config) => config with
    {
        VocabSize = Vocabulary,
        Positions = 32,
        HiddenSize = 16,
        IntermediateSize = 12,
        Layers = 2,
        Heads = 4,
        KeyValueHeads = 2,
        HeadDim = null,
    };
}
