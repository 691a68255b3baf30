using OrtPeft.Models.Building;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Models.GptNeoX;

/// <summary>One layer: attention and MLP beside each other or one after the other, each with a norm before it.</summary>
internal sealed class GptNeoXBlock : IBlock
{
    private readonly GptNeoXConfig _config;
    private readonly string _name;
    private readonly int _layer;
    private readonly LayerNormModule _beforeAttention;
    private readonly LayerNormModule _beforeMlp;
    private readonly DenseModule _packed;
    private readonly DenseModule _output;
    private readonly PlainMlp _mlp;

    public GptNeoXBlock(GptNeoXConfig config, string name, int layer)
    {
        var (width, inner, deviation) = (config.HiddenSize, config.InnerSize, config.Deviation);
        var hasBiases = config.HasAttentionBiases;
        _config = config;
        _name = name;
        _layer = layer;
        _beforeAttention = new($"{name}.input_layernorm", width, config.Epsilon);
        _beforeMlp = new($"{name}.post_attention_layernorm", width, config.Epsilon);
        _packed = new($"{name}.attention.query_key_value", width, 3 * width, hasBiases, deviation);
        _output = new($"{name}.attention.dense", width, width, hasBiases, deviation);
        _mlp = new(
            new($"{name}.mlp.dense_h_to_4h", width, inner, HasBias: true, deviation),
            new($"{name}.mlp.act", config.Activation),
            new($"{name}.mlp.dense_4h_to_h", inner, width, HasBias: true, deviation));
    }

    public IEnumerable<WeightSpec> Weights =>
    [
        .. _beforeAttention.Weights, .. _packed.Weights, .. _output.Weights, .. _beforeMlp.Weights, .. _mlp.Weights,
    ];

    public Value Apply(DecoderGraph decoder, Value hidden, SharedAttention shared)
    {
        var parts = Parts(decoder, _packed.Apply(decoder, _beforeAttention.Apply(decoder, hidden)));
        var attended = _output.Apply(decoder, shared.Attention.Of(_layer, parts, shared.Rotary));
        decoder.Enter(_name);
        var sum = decoder.Builder.Add(attended, hidden);
        var inner = _mlp.Apply(decoder, _beforeMlp.Apply(decoder, _config.IsParallel ? hidden : sum));
        decoder.Enter(_name);
        return decoder.Builder.Add(inner, sum);
    }

    /// <summary>Each head's query, key and value stand together.</summary>
    private QueryKeyValue Parts(DecoderGraph decoder, Value packed)
    {
        decoder.Enter($"{_name}.attention");
        var g = decoder.Builder;
        var parts = g.Split(g.Reshape(packed, -1, _config.Heads, 3, _config.HeadSize), 2, 1, 1, 1);
        return new(Rows(parts[0]), Rows(parts[1]), Rows(parts[2]));

        Value Rows(Value part) => g.Reshape(part, -1, _config.HiddenSize);
    }
}
