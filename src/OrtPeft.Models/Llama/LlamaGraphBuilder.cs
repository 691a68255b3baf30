using OrtPeft.Models.Building;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Models.Llama;

/// <summary>
/// Builds a decoder like Llama with its language-model head and a key-value cache out of standard operators. Hidden
/// states are <c>[batch · sequence, hidden]</c>, so that a linear layer is one Gemm over the weight as HF stores it,
/// <c>[out, in]</c>. Values that belong to a module are named after it:
/// <c>/model/layers.0/self_attn/q_proj/Gemm</c>.
/// </summary>
internal sealed class LlamaGraphBuilder
{
    private const string Root = "/model";

    private readonly LlamaConfig _config;
    private readonly DecoderGraph _decoder;
    private readonly GraphBuilder _g;

    public LlamaGraphBuilder(LlamaConfig config, IReadOnlyDictionary<string, Tensor> weights)
    {
        var sizes = new DecoderSizes(config.Layers, config.CacheHeads, config.HeadSize, config.VocabSize);
        _config = config;
        _decoder = new DecoderGraph(config.ModelType, sizes, weights);
        _g = _decoder.Builder;
    }

    public Model Build()
    {
        _g.Scope = $"{Root}/embed_tokens";
        var tokens = _g.Reshape(_decoder.Tokens, -1);
        var hidden = _g.Gather(_decoder.Weight(LlamaArchitecture.TokenEmbedding), tokens);
        var attention = new GroupedAttention(_config, _decoder);
        for (var layer = 0; layer < _config.Layers; layer++)
            hidden = Block(layer, hidden, attention);
        return _decoder.WithHead(
            Norm($"{Root}/norm", hidden),
            _config.TieWordEmbeddings ? LlamaArchitecture.TokenEmbedding : LlamaArchitecture.OutputEmbedding);
    }

    private Value Block(int layer, Value hidden, GroupedAttention attention)
    {
        var scope = $"{Root}/layers.{layer}";
        var attended = Attention(layer, $"{scope}/self_attn", Norm($"{scope}/input_layernorm", hidden), attention);
        _g.Scope = scope;
        hidden = _g.Add(hidden, attended);
        var inner = Mlp($"{scope}/mlp", Norm($"{scope}/post_attention_layernorm", hidden));
        _g.Scope = scope;
        return _g.Add(hidden, inner);
    }

    private Value Attention(int layer, string scope, Value x, GroupedAttention attention)
    {
        var query = Linear($"{scope}/q_proj", x, _config.HasInputBiases);
        var key = Linear($"{scope}/k_proj", x, _config.HasInputBiases);
        var value = Linear($"{scope}/v_proj", x, _config.HasInputBiases);
        _g.Scope = scope;
        return Linear($"{scope}/o_proj", attention.Of(layer, query, key, value), _config.HasOutputBias);
    }

    /// <summary>down(act(gate x) · up x).</summary>
    /// <seealso href="https://arxiv.org/abs/2002.05202">Shazeer, GLU variants, equation 6.</seealso>
    private Value Mlp(string scope, Value x)
    {
        var gate = Linear($"{scope}/gate_proj", x, _config.HasMlpBiases);
        _g.Scope = $"{scope}/act_fn";
        gate = Activations.Apply(_g, _config.Activation, gate);
        var up = Linear($"{scope}/up_proj", x, _config.HasMlpBiases);
        _g.Scope = scope;
        return Linear($"{scope}/down_proj", _g.Mul(gate, up), _config.HasMlpBiases);
    }

    /// <summary>x / √(mean(x²) + ε) · weight, in the nodes that ONNX Runtime fuses when it only infers.</summary>
    /// <seealso href="https://arxiv.org/abs/1910.07467">Zhang and Sennrich, RMSNorm, equation 4.</seealso>
    private Value Norm(string scope, Value x)
    {
        _g.Scope = scope;
        var square = _g.ReduceMean(_g.Pow(x, 2), [-1]);
        var deviation = _g.Op("Sqrt", _g.Add(square, _config.RmsNormEpsilon));
        return _g.Mul(_g.Div(x, deviation), _decoder.ModuleWeight(scope, "weight"));
    }

    private Value Linear(string scope, Value x, bool hasBias)
    {
        _g.Scope = scope;
        var bias = hasBias ? _decoder.ModuleWeight(scope, "bias") : null;
        return _g.Gemm(x, _decoder.ModuleWeight(scope, "weight"), bias, transB: true);
    }
}
