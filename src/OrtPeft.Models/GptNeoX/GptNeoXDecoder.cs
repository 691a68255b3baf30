using System.Text.RegularExpressions;
using OrtPeft.Models.Building;

namespace OrtPeft.Models.GptNeoX;

/// <summary>The parts of GPT-NeoX.</summary>
internal static partial class GptNeoXDecoder
{
    private const string Root = "gpt_neox";

    public static DecoderPlan PlanOf(GptNeoXConfig config) => new()
    {
        Config = config,
        Root = Root,
        Embedding = $"{Root}.embed_in",
        EmbeddingWidth = config.HiddenSize,
        Deviation = config.Deviation,
        Heads = new HeadForm(config.Heads, config.Heads, config.HeadSize),
        Rope = config.Rope,
        Blocks = [.. Enumerable.Range(0, config.Layers).Select(i => new GptNeoXBlock(config, $"{Root}.layers.{i}", i))],
        Last = new LayerNormModule($"{Root}.final_layer_norm", config.HiddenSize, config.Epsilon),
        Head = "embed_out",
        IsBuffer = static name => BufferName().IsMatch(name),
    };

    /// <summary>The causal masks and rotary frequencies that old versions saved.</summary>
    [GeneratedRegex(
        @"^layers\.[0-9]+\.attention\.(bias|masked_bias|rotary_emb\.inv_freq)$", RegexOptions.CultureInvariant)]
    private static partial Regex BufferName();
}
