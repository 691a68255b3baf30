using System.Text.RegularExpressions;
using OrtPeft.Models.Building;
using OrtPeft.Models.Configuration;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Models.Llama;

/// <summary>The parts of a decoder like Llama.</summary>
internal static partial class LlamaDecoder
{
    public static DecoderPlan PlanOf(LlamaConfig config)
    {
        var root = config.Root;
        var (width, epsilon, offset) = (config.HiddenSize, config.RmsNormEpsilon, config.Kind.NormOffset);
        return new DecoderPlan
        {
            Config = config,
            Root = root,
            Embedding = $"{root}.embed_tokens",
            EmbeddingWidth = width,
            Deviation = config.InitializerRange,
            Heads = config.Attention,
            Rope = config.Rope,
            LocalRope = config.LocalRope,
            Embedded = config.EmbeddingMultiplier == 1 ? null : new Multiplier(config.EmbeddingMultiplier),
            Blocks = [.. Enumerable.Range(0, config.Layers).Select(i => new LlamaBlock(config, $"{root}.layers.{i}", i))],
            Last = new RmsNormModule($"{root}.norm", width, epsilon, offset),
            OldNames = config.IsTextPart ? TextPart.OldNames : [],
            IsBuffer = static name => BufferName().IsMatch(name),
            Finish = (g, scores) => Finished(g, config, scores),
        };
    }

    private static Value Finished(GraphBuilder g, LlamaConfig config, Value scores)
    {
        if (config.LogitsDivisor != 1)
            scores = g.Div(scores, g.Scalar(ElementType.Float, config.LogitsDivisor));
        return config.LogitsSoftcap is { } cap ? Softcap.Apply(g, scores, cap) : scores;
    }

    /// <summary>The rotary frequencies that old versions saved.</summary>
    [GeneratedRegex(@"^layers\.[0-9]+\.self_attn\.rotary_emb\.inv_freq$", RegexOptions.CultureInvariant)]
    private static partial Regex BufferName();
}
