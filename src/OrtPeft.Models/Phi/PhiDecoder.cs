using System.Text.RegularExpressions;
using OrtPeft.Models.Building;

namespace OrtPeft.Models.Phi;

/// <summary>The parts of Phi.</summary>
internal static partial class PhiDecoder
{
    private const string Root = "model";

    public static DecoderPlan PlanOf(PhiConfig config) => new()
    {
        Config = config,
        Root = Root,
        Embedding = $"{Root}.embed_tokens",
        EmbeddingWidth = config.HiddenSize,
        Deviation = config.Deviation,
        Heads = new HeadForm(config.Heads, config.CacheHeads, config.HeadSize),
        Rope = config.Rope,
        Blocks = [.. Enumerable.Range(0, config.Layers).Select(i => new PhiBlock(config, $"{Root}.layers.{i}", i))],
        Last = new LayerNormModule($"{Root}.final_layernorm", config.HiddenSize, config.Epsilon),
        HasHeadBias = true,
        IsBuffer = static name => BufferName().IsMatch(name),
    };

    /// <summary>The rotary frequencies that old versions saved.</summary>
    [GeneratedRegex(@"^layers\.[0-9]+\.self_attn\.rotary_emb\.inv_freq$", RegexOptions.CultureInvariant)]
    private static partial Regex BufferName();
}
