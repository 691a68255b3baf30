using OrtPeft.Models.Building;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Models.Opt;

/// <summary>One layer: attention, then an MLP, with norms before them or after their sums.</summary>
internal sealed class OptBlock : IBlock
{
    private readonly OptConfig _config;
    private readonly string _name;
    private readonly int _layer;
    private readonly DenseModule _query;
    private readonly DenseModule _key;
    private readonly DenseModule _value;
    private readonly DenseModule _output;
    private readonly LayerNormModule _attentionNorm;
    private readonly PlainMlp _mlp;
    private readonly LayerNormModule _mlpNorm;

    public OptBlock(OptConfig config, string name, int layer)
    {
        var (width, inner) = (config.HiddenSize, config.InnerSize);
        _config = config;
        _name = name;
        _layer = layer;
        _query = Dense("self_attn.q_proj", width, width);
        _key = Dense("self_attn.k_proj", width, width);
        _value = Dense("self_attn.v_proj", width, width);
        _output = Dense("self_attn.out_proj", width, width);
        _attentionNorm = Norm(config, $"{name}.self_attn_layer_norm");
        _mlp = new(
            Dense("fc1", width, inner), new($"{name}.activation_fn", config.Activation), Dense("fc2", inner, width));
        _mlpNorm = Norm(config, $"{name}.final_layer_norm");

        DenseModule Dense(string part, int from, int to) =>
            new($"{name}.{part}", from, to, config.HasBiases, config.Deviation);
    }

    public IEnumerable<WeightSpec> Weights =>
    [
        .. _attentionNorm.Weights, .. _query.Weights, .. _key.Weights, .. _value.Weights, .. _output.Weights,
        .. _mlpNorm.Weights, .. _mlp.Weights,
    ];

    public static LayerNormModule Norm(OptConfig config, string name)
    {
        const float Epsilon = 1e-5f;
        return new(name, config.HiddenSize, Epsilon, config.HasNormWeights);
    }

    public Value Apply(DecoderGraph decoder, Value hidden, SharedAttention shared)
    {
        hidden = Added(decoder, hidden, _attentionNorm, x => Attended(decoder, x, shared));
        return Added(decoder, hidden, _mlpNorm, x => _mlp.Apply(decoder, x));
    }

    private Value Added(DecoderGraph decoder, Value hidden, LayerNormModule norm, Func<Value, Value> part)
    {
        var added = part(_config.NormsBefore ? norm.Apply(decoder, hidden) : hidden);
        decoder.Enter(_name);
        var sum = decoder.Builder.Add(hidden, added);
        return _config.NormsBefore ? sum : norm.Apply(decoder, sum);
    }

    private Value Attended(DecoderGraph decoder, Value x, SharedAttention shared)
    {
        var parts = new QueryKeyValue(_query.Apply(decoder, x), _key.Apply(decoder, x), _value.Apply(decoder, x));
        decoder.Enter($"{_name}.self_attn");
        return _output.Apply(decoder, shared.Attention.Of(_layer, parts, shared.Rotary));
    }
}
