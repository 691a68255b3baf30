using System.Collections.Frozen;
using System.Text.RegularExpressions;
using OrtPeft.Models.Building;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Models.Llama;

/// <summary>
/// A decoder like Llama with its language-model head and a key-value cache out of standard operators. Hidden states
/// are <c>[batch · sequence, hidden]</c>. Values that belong to a module are named after it:
/// <c>/model/layers.0/self_attn/q_proj/Gemm</c>.
/// </summary>
internal sealed partial class LlamaDecoder
{
    private const string TokenEmbedding = "model.embed_tokens.weight";
    private const string OutputEmbedding = "lm_head.weight";

    private readonly LlamaConfig _config;
    private readonly LlamaBlock[] _blocks;
    private readonly RmsNormModule _norm;

    private LlamaDecoder(LlamaConfig config)
    {
        _config = config;
        _blocks = [.. Enumerable.Range(0, config.Layers).Select(layer => new LlamaBlock(config, layer))];
        _norm = new RmsNormModule("model.norm", config.HiddenSize, config.RmsNormEpsilon, config.Kind.NormOffset);
    }

    public static Architecture ArchitectureOf(LlamaConfig config)
    {
        var decoder = new LlamaDecoder(config);
        return new Architecture
        {
            Config = config,
            Weights = [.. decoder.Weights],
            Prefix = "model.",
            TiedWeights = config.TieWordEmbeddings
                ? new Dictionary<string, string> { [OutputEmbedding] = TokenEmbedding }.ToFrozenDictionary()
                : FrozenDictionary<string, string>.Empty,
            IsBuffer = static name => BufferName().IsMatch(name),
            BuildGraph = decoder.Build,
        };
    }

    private IEnumerable<WeightSpec> Weights
    {
        get
        {
            WeightSpec Table(string name) =>
                new(name, [_config.VocabSize, _config.HiddenSize], 0, _config.InitializerRange);
            return
            [
                Table(TokenEmbedding),
                .. _blocks.SelectMany(static block => block.Weights),
                .. _norm.Weights,
                .. _config.TieWordEmbeddings ? [] : (WeightSpec[])[Table(OutputEmbedding)],
            ];
        }
    }

    private Model Build(IReadOnlyDictionary<string, Tensor> weights)
    {
        var sizes = new DecoderSizes(_config.Layers, _config.CacheHeads, _config.HeadSize, _config.VocabSize);
        var decoder = new DecoderGraph(_config.ModelType, sizes, weights);
        var hidden = Embedded(decoder);
        var shared = SharedOf(decoder);
        foreach (var block in _blocks)
            hidden = block.Apply(decoder, hidden, shared);
        var head = _config.TieWordEmbeddings ? TokenEmbedding : OutputEmbedding;
        var rows = _norm.Apply(decoder, hidden);
        return decoder.WithHead(rows, "lm_head", head, finish: scores => Finished(decoder.Builder, scores));
    }

    private Value Embedded(DecoderGraph decoder)
    {
        decoder.Enter("model.embed_tokens");
        var g = decoder.Builder;
        var tokens = g.Reshape(decoder.Tokens, -1);
        var rows = g.Gather(decoder.Weight(TokenEmbedding), tokens);
        return _config.EmbeddingMultiplier == 1 ? rows : g.Mul(rows, _config.EmbeddingMultiplier);
    }

    private SharedAttention SharedOf(DecoderGraph decoder)
    {
        decoder.Enter("model.rotary_emb");
        var form = _config.Attention;
        var all = new RotaryHeads(decoder, form, _config.Rope, _config.Positions);
        decoder.Enter("model.rotary_emb_local");
        var local = _config.LocalRope is { } rope ? new RotaryHeads(decoder, form, rope, _config.Positions) : all;
        decoder.Enter("model");
        return new SharedAttention(new GroupedAttention(decoder, form, _config.Layers), all, local);
    }

    private Value Finished(GraphBuilder g, Value scores)
    {
        if (_config.LogitsDivisor != 1)
            scores = g.Div(scores, g.Scalar(ElementType.Float, _config.LogitsDivisor));
        return _config.LogitsSoftcap is { } cap ? Softcap.Apply(g, scores, cap) : scores;
    }

    /// <summary>The rotary frequencies that old versions saved.</summary>
    [GeneratedRegex(@"^layers\.[0-9]+\.self_attn\.rotary_emb\.inv_freq$", RegexOptions.CultureInvariant)]
    private static partial Regex BufferName();
}
