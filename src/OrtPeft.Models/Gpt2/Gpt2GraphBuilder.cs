using OrtPeft.Models.Building;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Models.Gpt2;

/// <summary>
/// Builds GPT-2 with its language-model head and a key-value cache out of standard operators. Values that
/// belong to a module are named after it: <c>/transformer/h.0/attn/c_attn/MatMul</c>.
/// </summary>
internal sealed class Gpt2GraphBuilder
{
    private const string Root = "/transformer";

    private readonly Gpt2Config _config;
    private readonly DecoderGraph _decoder;
    private readonly GraphBuilder _g;

    public Gpt2GraphBuilder(Gpt2Config config, IReadOnlyDictionary<string, Tensor> weights)
    {
        var sizes = new DecoderSizes(config.Layers, config.Heads, config.HeadSize, config.VocabSize);
        _config = config;
        _decoder = new DecoderGraph("gpt2", sizes, weights);
        _g = _decoder.Builder;
    }

    public Model Build()
    {
        var hidden = Embed();
        var mask = CausalMask.Build(_decoder);
        for (var layer = 0; layer < _config.Layers; layer++)
            hidden = Block(layer, hidden, mask);
        var rows = _g.Reshape(Norm($"{Root}/ln_f", hidden), -1, _config.EmbeddingSize);
        return _decoder.WithHead(
            rows,
            "lm_head",
            _config.TieWordEmbeddings ? Gpt2Architecture.TokenEmbedding : Gpt2Architecture.OutputEmbedding);
    }

    private Value Embed()
    {
        _g.Scope = $"{Root}/wte";
        var token = _g.Gather(_decoder.Weight(Gpt2Architecture.TokenEmbedding), _decoder.Tokens);
        _g.Scope = $"{Root}/wpe";
        var position = _g.Gather(_decoder.Weight(Gpt2Architecture.PositionEmbedding), _decoder.Positions);
        _g.Scope = Root;
        return _g.Add(token, position);
    }

    private Value Block(int layer, Value hidden, CausalMask mask)
    {
        var scope = $"{Root}/h.{layer}";
        var attended = Attention(layer, $"{scope}/attn", Norm($"{scope}/ln_1", hidden), mask);
        _g.Scope = scope;
        hidden = _g.Add(attended, hidden);
        var inner = Linear($"{scope}/mlp/c_fc", Norm($"{scope}/ln_2", hidden));
        _g.Scope = $"{scope}/mlp/act";
        inner = Activations.Apply(_g, _config.ActivationFunction, inner);
        inner = Linear($"{scope}/mlp/c_proj", inner);
        _g.Scope = scope;
        return _g.Add(hidden, inner);
    }

    private Value Attention(int layer, string scope, Value x, CausalMask mask)
    {
        var projected = Linear($"{scope}/c_attn", x);
        _g.Scope = scope;
        var parts = _g.Split(projected, -1, _config.EmbeddingSize, _config.EmbeddingSize, _config.EmbeddingSize);
        var (key, value) = _decoder.Cached(layer, SplitHeads(parts[1]), SplitHeads(parts[2]));
        var scores = _g.MatMul(Scaled(layer, SplitHeads(parts[0])), _g.Transpose(key, 0, 1, 3, 2));
        var weights = _g.Softmax(mask.Apply(_g, scores));
        var mixed = _g.Transpose(_g.MatMul(weights, value), 0, 2, 1, 3);
        return Linear($"{scope}/c_proj", _g.Reshape(mixed, 0, 0, _config.EmbeddingSize));
    }

    /// <summary>Scales the queries, which are fewer numbers than the scores; HF's factors in one.</summary>
    private Value Scaled(int layer, Value query)
    {
        var divisor = _config.ScaleAttentionWeights ? Math.Sqrt(_config.HeadSize) : 1;
        if (_config.ScaleAttentionByInverseLayerIndex)
            divisor *= layer + 1;
        return divisor == 1 ? query : _g.Mul(query, _g.Scalar(ElementType.Float, 1 / divisor));
    }

    private Value SplitHeads(Value x) =>
        _g.Transpose(_g.Reshape(x, 0, 0, _config.Heads, _config.HeadSize), 0, 2, 1, 3);

    private Value Norm(string scope, Value x)
    {
        _g.Scope = scope;
        return _g.Op(
            "LayerNormalization",
            [x, _decoder.ModuleWeight(scope, "weight"), _decoder.ModuleWeight(scope, "bias")],
            NodeAttribute.Of("axis", -1),
            NodeAttribute.Of("epsilon", _config.LayerNormEpsilon));
    }

    private Value Linear(string scope, Value x)
    {
        _g.Scope = scope;
        return _g.Add(_g.MatMul(x, _decoder.ModuleWeight(scope, "weight")), _decoder.ModuleWeight(scope, "bias"));
    }
}
