using OrtPeft.Models.Llama;
using OrtPeft.Models.Rotary;

namespace OrtPeft.Models.Checkpoints.Gguf;

/// <summary>Writes a <c>config.json</c> as a file's metadata; <see cref="GgufConfig"/> reads it.</summary>
internal static class GgufDescription
{
    private const double Slack = 1e-6;

    /// <summary>Adds sizes, norms and rotary angles.</summary>
    /// <exception cref="ModelConfigException">llama.cpp cannot be told something of it.</exception>
    public static void Add(GgufWriter writer, string name, LlamaConfig config, string folder)
    {
        Refuse(name, config, folder);
        Own("context_length", (uint)config.Positions);
        Own("embedding_length", (uint)config.HiddenSize);
        Own("block_count", (uint)config.Layers);
        Own("feed_forward_length", (uint)config.IntermediateSize);
        Own("vocab_size", (uint)config.VocabSize);
        Own("attention.head_count", (uint)config.Heads);
        Own("attention.head_count_kv", (uint)config.CacheHeads);
        Own("attention.key_length", (uint)config.HeadSize);
        Own("attention.value_length", (uint)config.HeadSize);
        Own("attention.layer_norm_rms_epsilon", config.RmsNormEpsilon);
        Own("rope.dimension_count", (uint)(config.HeadSize * config.RotaryPart));
        Own("rope.freq_base", config.RopeTheta);
        if (config.SlidingWindow is { } window && name is not ("llama" or "qwen2" or "qwen3"))
            Own("attention.sliding_window", (uint)window.Size);
        if (config.ScoreSoftcap is { } cap)
            Own("attn_logit_softcapping", cap);
        if (config.LogitsSoftcap is { } limit)
            Own("final_logit_softcapping", limit);
        AddScaling();

        void Own(string key, object value) => writer.Add($"{name}.{key}", value);

        void AddScaling()
        {
            if (config.RopeScaling is not { } scaling || scaling.Type == RopeTypes.Default)
                return;
            switch (scaling.Type)
            {
                case "linear":
                    Own("rope.scaling.type", "linear");
                    Own("rope.scaling.factor", scaling.Factor);
                    break;
                case "yarn" when scaling is { AttentionFactor: null, MScale: 0, MScaleAllDim: 0, BetaFast: 32, BetaSlow: 1 }:
                    Own("rope.scaling.type", "yarn");
                    Own("rope.scaling.factor", scaling.Factor);
                    Own("rope.scaling.original_context_length", (uint)scaling.OriginalPositions);
                    break;
                case "llama3":
                    var scaled = RopeTypes.Frequencies(config.HeadSize, config.RopeTheta, scaling, config.Positions).Angles;
                    var plain = RopeTypes.Frequencies(config.HeadSize, config.RopeTheta, null, config.Positions).Angles;
                    float[] divisors = [.. plain.Zip(scaled, static (p, s) => (float)(p / s))];
                    writer.Add("rope_freqs.weight", GgmlForm.F32, [divisors.Length], () => divisors);
                    break;
                default:
                    throw Unknown(folder, $"rotary angles of the kind {scaling.Type}");
            }
        }
    }

    /// <summary>llama.cpp knows of an architecture what it is by; other numbers would be passed over.</summary>
    private static void Refuse(string name, LlamaConfig config, string folder)
    {
        var isGemma = name.StartsWith("gemma", StringComparison.Ordinal);
        var activation = isGemma ? "gelu_pytorch_tanh" : "silu";
        if (config.Experts is not null)
            throw Unknown(folder, "experts");
        if (config.Activation != activation)
            throw Unknown(folder, $"the nonlinearity {config.Activation}");
        if (config.ResidualMultiplier != 1 || config.LogitsDivisor != 1 || config.UnturnedLayers is not null
            || (!isGemma && (config.EmbeddingMultiplier != 1 || config.ScoreMultiplier is not null)))
            throw Unknown(folder, "multipliers of its own");
        if (isGemma && config.ScoreMultiplier is { } scale && Math.Abs((scale * Math.Sqrt(config.HeadSize)) - 1) > Slack)
            throw Unknown(folder, "scores that are not divided by the root of a head's size");
        if (name is "llama" or "qwen2" or "qwen3" && config.SlidingWindow is { } window && window.Size < config.Positions)
            throw Unknown(folder, $"a window of {window.Size} tokens in layers of {name}");
    }

    private static ModelConfigException Unknown(string folder, string what) =>
        new($"{folder}: a GGUF file cannot tell llama.cpp of {what}; export hf, or run the ONNX model.");
}
