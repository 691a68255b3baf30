using System.Collections.Frozen;
using System.Text.RegularExpressions;

namespace OrtPeft.Models.Llama;

/// <summary>The weights of a decoder built like Llama, in HF's names, shapes and initialisation.</summary>
internal static partial class LlamaArchitecture
{
    public const string TokenEmbedding = "model.embed_tokens.weight";
    public const string OutputEmbedding = "lm_head.weight";

    public static Architecture Of(LlamaConfig config) => new()
    {
        Config = config,
        Weights = [.. Weights(config)],
        Prefix = "model.",
        TiedWeights = config.TieWordEmbeddings
            ? new Dictionary<string, string> { [OutputEmbedding] = TokenEmbedding }.ToFrozenDictionary()
            : FrozenDictionary<string, string>.Empty,
        IsBuffer = static name => BufferName().IsMatch(name),
        BuildGraph = weights => new LlamaGraphBuilder(config, weights).Build(),
    };

    private static IEnumerable<WeightSpec> Weights(LlamaConfig config)
    {
        var deviation = config.InitializerRange;
        yield return new(TokenEmbedding, [config.VocabSize, config.HiddenSize], 0, deviation);
        for (var layer = 0; layer < config.Layers; layer++)
        {
            foreach (var weight in Block(config, $"model.layers.{layer}"))
                yield return weight;
        }

        yield return new("model.norm.weight", [config.HiddenSize], 1);
        if (!config.TieWordEmbeddings)
            yield return new(OutputEmbedding, [config.VocabSize, config.HiddenSize], 0, deviation);
    }

    private static WeightSpec[] Block(LlamaConfig config, string block)
    {
        var (width, inner) = (config.HiddenSize, config.IntermediateSize);
        var (queries, keys) = (config.Heads * config.HeadSize, config.CacheHeads * config.HeadSize);
        return
        [
            new($"{block}.input_layernorm.weight", [width], 1),
            .. Linear("self_attn.q_proj", width, queries, config.HasInputBiases),
            .. Linear("self_attn.k_proj", width, keys, config.HasInputBiases),
            .. Linear("self_attn.v_proj", width, keys, config.HasInputBiases),
            .. Linear("self_attn.o_proj", queries, width, config.HasOutputBias),
            new($"{block}.post_attention_layernorm.weight", [width], 1),
            .. Linear("mlp.gate_proj", width, inner, config.HasMlpBiases),
            .. Linear("mlp.up_proj", width, inner, config.HasMlpBiases),
            .. Linear("mlp.down_proj", inner, width, config.HasMlpBiases),
        ];

        WeightSpec[] Linear(string module, int from, int to, bool hasBias)
        {
            var weight = new WeightSpec($"{block}.{module}.weight", [to, from], 0, config.InitializerRange);
            return hasBias ? [weight, new($"{block}.{module}.bias", [to])] : [weight];
        }
    }

    /// <summary>The rotary frequencies that old versions saved.</summary>
    [GeneratedRegex(@"^layers\.[0-9]+\.self_attn\.rotary_emb\.inv_freq$", RegexOptions.CultureInvariant)]
    private static partial Regex BufferName();
}
