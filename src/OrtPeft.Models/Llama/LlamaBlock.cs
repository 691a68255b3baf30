using OrtPeft.Models.Building;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Models.Llama;

/// <summary>One layer: attention and MLP, each added to what it read, with norms before, after or around them.</summary>
internal sealed class LlamaBlock : IBlock
{
    private readonly LlamaConfig _config;
    private readonly string _name;
    private readonly LlamaAttention _attention;
    private readonly IModule _mlp;
    private readonly RmsNormModule? _beforeAttention;
    private readonly RmsNormModule? _afterAttention;
    private readonly RmsNormModule? _beforeMlp;
    private readonly RmsNormModule? _afterMlp;

    public LlamaBlock(LlamaConfig config, string name, int layer)
    {
        _config = config;
        _name = name;
        _attention = new LlamaAttention(config, layer, $"{_name}.self_attn");
        _mlp = MlpOf(config, name, layer);
        var norms = config.Kind.Norms;
        const string Second = "post_attention_layernorm"; // before the MLP, but where norms stand after attention too
        _beforeAttention = norms != BlockNorms.After ? Norm("input_layernorm") : null;
        _afterAttention = norms != BlockNorms.Before ? Norm(Second) : null;
        _beforeMlp = norms switch
        {
            BlockNorms.Before => Norm(Second),
            BlockNorms.Around => Norm("pre_feedforward_layernorm"),
            _ => null,
        };
        _afterMlp = norms != BlockNorms.Before ? Norm("post_feedforward_layernorm") : null;

        RmsNormModule Norm(string part) =>
            new($"{_name}.{part}", config.HiddenSize, config.RmsNormEpsilon, config.Kind.NormOffset);
    }

    public IEnumerable<WeightSpec> Weights =>
    [
        .. Of(_beforeAttention), .. _attention.Weights, .. Of(_afterAttention),
        .. Of(_beforeMlp), .. _mlp.Weights, .. Of(_afterMlp),
    ];

    public Value Apply(DecoderGraph decoder, Value hidden, SharedAttention shared)
    {
        var read = _beforeAttention?.Apply(decoder, hidden) ?? hidden;
        var attended = _attention.Apply(decoder, read, shared);
        hidden = Sum(decoder, hidden, _afterAttention?.Apply(decoder, attended) ?? attended);
        read = _beforeMlp?.Apply(decoder, hidden) ?? hidden;
        var inner = _mlp.Apply(decoder, read);
        return Sum(decoder, hidden, _afterMlp?.Apply(decoder, inner) ?? inner);
    }

    private static IModule MlpOf(LlamaConfig config, string block, int layer)
    {
        var name = $"{block}.mlp";
        if (config.Experts is not { } experts || experts.DenseLayers?.Contains(layer) == true)
            return Gated(name, config.IntermediateSize);
        var mixture = new ExpertsModule(
            name, config.HiddenSize, experts, config.Activation, config.InitializerRange, config.Kind.ExpertSources.In(block));
        return experts.SharedInnerSize is not { } shared
            ? mixture
            : new SharedExpert(name, mixture, Gated($"{name}.shared_expert", shared), config.HiddenSize, config.InitializerRange);

        GatedMlp Gated(string module, int inner) => new(
            module,
            config.HiddenSize,
            inner,
            config.Activation,
            config.HasMlpBiases,
            config.InitializerRange,
            config.Kind.IsPacked);
    }

    private Value Sum(DecoderGraph decoder, Value hidden, Value added)
    {
        decoder.Enter(_name);
        var g = decoder.Builder;
        var multiplier = _config.ResidualMultiplier;
        return g.Add(hidden, multiplier == 1 ? added : g.Mul(added, multiplier));
    }

    private static IEnumerable<WeightSpec> Of(RmsNormModule? module) => module?.Weights ?? [];
}
