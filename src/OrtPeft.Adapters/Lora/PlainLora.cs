using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Lora;

/// <summary>
/// Turns adapters of a form of their own into plain ones for the unchanged base, which compute the same. What took its
/// start out of the base (PiSSA, OLoRA) gets twice the rank: s·(B·A − B₀·A₀) = s·[B, −B₀]·[A; A₀]; it then loads
/// without decomposing a weight, and beside other adapters. The n parts of <see cref="LoraConfig.EnableLora"/> become
/// one of rank r·n, whose B has zeros outside the parts' blocks.
/// </summary>
/// <seealso href="https://huggingface.co/docs/peft/developer_guides/lora#pissa">HF PEFT's
/// path_initial_model_for_weight_conversion.</seealso>
public static class PlainLora
{
    private static readonly string[] PartsA = [HfName.LoraA, HfName.LoraEmbeddingA];
    private static readonly string[] PartsB = [HfName.LoraB, HfName.LoraEmbeddingB];

    /// <summary>Converts an adapter.</summary>
    /// <param name="model">A model with a LoRA adapter; not changed.</param>
    /// <returns>The configuration and the tensors of the plain adapter, for <see cref="AdapterFolder.Save"/> or
    /// <see cref="PeftModel.Create(Model, PeftConfig, IReadOnlyDictionary{string, Tensor}, string, string, long)"/>.
    /// </returns>
    /// <exception cref="ConfigException">The adapter is not a LoRA, or plain already.</exception>
    public static (LoraConfig Config, IReadOnlyDictionary<string, Tensor> Weights) Of(PeftModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var weights = model.GetWeights();
        if (model.Config is LoraConfig { EnableLora: not null } inParts)
        {
            var (plain, tensors) = WithoutParts(inParts, weights);
            return (plain, WithBase(model, tensors));
        }

        if (model.Config is not LoraConfig config || !model.Buffers.Any(static b => HfName.IsStart(b.Name)))
            throw new ConfigException(
                "Only LoRA adapters that start as a part of the base (pissa, olora) or have parts (enable_lora) can "
                + $"be converted; this one is {model.Config.PeftType} and leaves the base as it is.");
        return (WithStart(config), WithBase(model, WithStart(weights)));
    }

    /// <summary>The configuration of an adapter that has its start in its weights.</summary>
    internal static LoraConfig WithStart(LoraConfig config) =>
        OfRank(2, config) with { InitLoraWeights = LoraInit.Kaiming };

    /// <summary>The weights of an adapter with A₀ and B₀ put into A and B.</summary>
    internal static IReadOnlyDictionary<string, Tensor> WithStart(IReadOnlyDictionary<string, Tensor> weights) =>
        weights.Where(static w => !HfName.IsStart(w.Key)).ToDictionary(
            static w => w.Key, w => WithStart(w.Key, w.Value, weights), StringComparer.Ordinal);

    /// <summary>The same adapter with one A and one B for each layer.</summary>
    internal static (LoraConfig Config, IReadOnlyDictionary<string, Tensor> Weights) WithoutParts(
        LoraConfig config, IReadOnlyDictionary<string, Tensor> weights)
    {
        if (EnabledParts.Of(config) is not { } parts)
            return (config, weights);
        var plain = weights.ToDictionary(
            static w => w.Key,
            w => IsPart(w.Key, PartsB) ? parts.Widened(w.Value) : w.Value,
            StringComparer.Ordinal);
        return (OfRank(parts.Count, config) with { EnableLora = null }, plain);
    }

    private static Dictionary<string, Tensor> WithBase(PeftModel model, IReadOnlyDictionary<string, Tensor> weights) =>
        weights.Concat(model.Adapters.ActiveNames.SelectMany(model.Adapters.BaseWeightsOf))
            .ToDictionary(StringComparer.Ordinal);

    /// <summary>So many times the rank. The scale of every module stays: alpha grows as r does, or as √r.</summary>
    private static LoraConfig OfRank(int times, LoraConfig config)
    {
        var factor = config.UseRslora ? Math.Sqrt(times) : times;
        return config with
        {
            R = times * config.R,
            LoraAlpha = factor * config.LoraAlpha,
            RankPattern = [.. config.RankPattern.Select(p => KeyValuePair.Create(p.Key, times * p.Value))],
            AlphaPattern = [.. config.AlphaPattern.Select(p => KeyValuePair.Create(p.Key, factor * p.Value))],
        };
    }

    private static Tensor WithStart(string name, Tensor tensor, IReadOnlyDictionary<string, Tensor> weights)
    {
        var start = weights.GetValueOrDefault(HfName.StartOf(name))?.ToFloat32();
        var values = tensor.ToFloat32();
        if (IsPart(name, PartsA))
        {
            float[] tall = [.. values, .. start ?? new float[values.Length]];
            return Tensor.Of<float>(tall, [2 * tensor.Dims[0], tensor.Dims[1]]);
        }

        if (!IsPart(name, PartsB))
            return tensor;
        var r = (int)tensor.Dims[1];
        var wide = new float[2 * values.Length];
        for (var i = 0; i < values.Length; i++)
        {
            var at = (i / r * 2 * r) + (i % r);
            (wide[at], wide[at + r]) = (values[i], start is null ? 0 : -start[i]);
        }

        return Tensor.Of<float>(wide, [tensor.Dims[0], 2 * r]);
    }

    private static bool IsPart(string name, string[] parts) => parts.Any(part => HfName.IsPart(name, part));
}
