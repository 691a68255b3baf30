using OrtPeft.Models.Building;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Models.Phi;

/// <summary>One layer: attention and MLP beside each other, with one norm before both.</summary>
internal sealed class PhiBlock : IBlock
{
    private readonly string _name;
    private readonly int _layer;
    private readonly LayerNormModule _norm;
    private readonly DenseModule _query;
    private readonly DenseModule _key;
    private readonly DenseModule _value;
    private readonly DenseModule _output;
    private readonly HeadNorms? _norms;
    private readonly PlainMlp _mlp;

    public PhiBlock(PhiConfig config, string name, int layer)
    {
        var (width, inner, size) = (config.HiddenSize, config.InnerSize, config.HeadSize);
        _name = name;
        _layer = layer;
        _norm = new($"{name}.input_layernorm", width, config.Epsilon);
        _query = Dense("self_attn.q_proj", width, width);
        _key = Dense("self_attn.k_proj", width, config.CacheHeads * size);
        _value = Dense("self_attn.v_proj", width, config.CacheHeads * size);
        _output = Dense("self_attn.dense", width, width);
        _mlp = new(
            Dense("mlp.fc1", width, inner), new($"{name}.mlp.activation_fn", config.Activation), Dense("mlp.fc2", inner, width));
        if (config.HasHeadNorms)
            _norms = new HeadNorms(HeadNorm("q_layernorm"), HeadNorm("k_layernorm"));

        DenseModule Dense(string part, int from, int to) =>
            new($"{name}.{part}", from, to, HasBias: true, config.Deviation);

        LayerNormModule HeadNorm(string part) => new($"{name}.self_attn.{part}", size, config.Epsilon);
    }

    public IEnumerable<WeightSpec> Weights =>
    [
        .. _norm.Weights, .. _query.Weights, .. _key.Weights, .. _value.Weights, .. _norms?.Weights ?? [],
        .. _output.Weights, .. _mlp.Weights,
    ];

    public Value Apply(DecoderGraph decoder, Value hidden, SharedAttention shared)
    {
        var read = _norm.Apply(decoder, hidden);
        var parts = new QueryKeyValue(
            _query.Apply(decoder, read), _key.Apply(decoder, read), _value.Apply(decoder, read));
        decoder.Enter($"{_name}.self_attn");
        var attended = _output.Apply(decoder, shared.Attention.Of(_layer, parts, shared.Rotary, _norms));
        var inner = _mlp.Apply(decoder, read);
        decoder.Enter(_name);
        return decoder.Builder.Add(decoder.Builder.Add(attended, inner), hidden);
    }
}
