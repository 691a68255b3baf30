using OrtPeft.Onnx;

namespace OrtPeft.Adapters.Lora;

/// <summary>
/// Turns an adapter that took its start out of the base (PiSSA, OLoRA) into one for the unchanged base, of twice the
/// rank: s·(B·A − B₀·A₀) = s·[B, −B₀]·[A; A₀]. It loads without decomposing a weight, and beside other adapters.
/// </summary>
/// <seealso href="https://huggingface.co/docs/peft/developer_guides/lora#pissa">HF PEFT's
/// path_initial_model_for_weight_conversion.</seealso>
public static class PlainLora
{
    /// <summary>Converts an adapter.</summary>
    /// <param name="model">A model with a LoRA adapter; not changed.</param>
    /// <returns>The configuration and the tensors of the plain adapter, for <see cref="AdapterFolder.Save"/> or
    /// <see cref="PeftModel.Create(Model, PeftConfig, IReadOnlyDictionary{string, Tensor}, string, string)"/>.</returns>
    /// <exception cref="ConfigException">The adapter is no LoRA, or took nothing out of the base.</exception>
    public static (LoraConfig Config, IReadOnlyDictionary<string, Tensor> Weights) Of(PeftModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (model.Config is not LoraConfig config || !model.Buffers.Any(static b => LoraStart.IsOne(b.Name)))
            throw new ConfigException(
                $"Only LoRA adapters that start as a part of the base (pissa, olora) can be converted; this one is "
                + $"{model.Config.PeftType} and leaves the base as it is.");
        var weights = model.GetWeights();
        var plain = weights.Where(static w => !LoraStart.IsOne(w.Key)).ToDictionary(
            static w => w.Key, w => Widened(w.Key, w.Value, weights), StringComparer.Ordinal);
        return (Doubled(config), plain);
    }

    /// <summary>The scale of every module stays: alpha grows as r does, or as √r.</summary>
    private static LoraConfig Doubled(LoraConfig config)
    {
        var factor = config.UseRslora ? Math.Sqrt(2) : 2;
        return config with
        {
            InitLoraWeights = LoraInit.Kaiming,
            R = 2 * config.R,
            LoraAlpha = factor * config.LoraAlpha,
            RankPattern = [.. config.RankPattern.Select(static p => KeyValuePair.Create(p.Key, 2 * p.Value))],
            AlphaPattern = [.. config.AlphaPattern.Select(p => KeyValuePair.Create(p.Key, factor * p.Value))],
        };
    }

    private static Tensor Widened(string name, Tensor tensor, IReadOnlyDictionary<string, Tensor> weights)
    {
        var start = weights.GetValueOrDefault(LoraStart.NameOf(name))?.ToFloat32();
        var values = tensor.ToFloat32();
        if (name.EndsWith(".lora_A.weight", StringComparison.Ordinal)
            || name.EndsWith(".lora_embedding_A", StringComparison.Ordinal))
        {
            float[] tall = [.. values, .. start ?? new float[values.Length]];
            return Tensor.Of<float>(tall, [2 * tensor.Dims[0], tensor.Dims[1]]);
        }

        if (!name.EndsWith(".lora_B.weight", StringComparison.Ordinal)
            && !name.EndsWith(".lora_embedding_B", StringComparison.Ordinal))
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
}
