using OrtPeft.Models.Building;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Models.Llama;

/// <summary>A layer's attention with its linear layers, and norms of queries and keys where it has them.</summary>
internal sealed class LlamaAttention
{
    private readonly LlamaConfig _config;
    private readonly int _layer;
    private readonly string _name;
    private readonly DenseModule[] _inputs;
    private readonly DenseModule _output;
    private readonly HeadNorms? _norms;

    public LlamaAttention(LlamaConfig config, int layer, string name)
    {
        var (queries, keys) = (Queries(config), Keys(config));
        _config = config;
        _layer = layer;
        _name = name;
        _inputs = config.Kind.IsPacked
            ? [Input("qkv_proj", queries + (2 * keys))]
            : [Input("q_proj", queries), Input("k_proj", keys), Input("v_proj", keys)];
        _output = new($"{name}.o_proj", queries, config.HiddenSize, config.HasOutputBias, config.InitializerRange);
        _norms = config.Kind.QueryKeyNorms switch
        {
            QueryKeyNorms.OfHeads => NormsOf(config.HeadSize, config.HeadSize),
            QueryKeyNorms.OfAll => NormsOf(queries, keys),
            _ => null,
        };

        DenseModule Input(string part, int to) =>
            new($"{name}.{part}", config.HiddenSize, to, config.HasInputBiases, config.InitializerRange);

        HeadNorms NormsOf(int query, int key) => new(Norm("q_norm", query), Norm("k_norm", key));

        RmsNormModule Norm(string part, int width) =>
            new($"{name}.{part}", width, config.RmsNormEpsilon, config.Kind.NormOffset);
    }

    public IEnumerable<WeightSpec> Weights =>
        [.. _inputs.SelectMany(static i => i.Weights), .. _norms?.Weights ?? [], .. _output.Weights];

    public Value Apply(DecoderGraph decoder, Value x, SharedAttention shared)
    {
        var parts = Parts(decoder, x);
        var isAll = _config.Kind.QueryKeyNorms == QueryKeyNorms.OfAll;
        if (isAll)
        {
            parts = parts with
            {
                Query = _norms!.Query.Apply(decoder, parts.Query),
                Key = _norms.Key.Apply(decoder, parts.Key),
            };
        }

        decoder.Enter(_name);
        var attended = shared.Attention.Of(_layer, parts, RotaryOf(shared), isAll ? null : _norms);
        return _output.Apply(decoder, attended);
    }

    private static int Queries(LlamaConfig config) => config.Heads * config.HeadSize;

    private static int Keys(LlamaConfig config) => config.CacheHeads * config.HeadSize;

    private QueryKeyValue Parts(DecoderGraph decoder, Value x)
    {
        if (_inputs is [var query, var key, var value])
            return new(query.Apply(decoder, x), key.Apply(decoder, x), value.Apply(decoder, x));
        var packed = _inputs[0].Apply(decoder, x);
        decoder.Enter(_name);
        var parts = decoder.Builder.Split(packed, -1, Queries(_config), Keys(_config), Keys(_config));
        return new(parts[0], parts[1], parts[2]);
    }

    private RotaryHeads? RotaryOf(SharedAttention shared)
    {
        if (_config.UnturnedLayers?.Contains(_layer) == true)
            return null;
        return _config.SlidingWindow?.IsIn(_layer) == true ? shared.LocalRotary : shared.Rotary;
    }
}
