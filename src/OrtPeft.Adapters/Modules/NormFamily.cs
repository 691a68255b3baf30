namespace OrtPeft.Adapters.Modules;

/// <summary>How a family of models calls its normalisations, by the layer that reads them.</summary>
/// <param name="Layers">What the names of all layers begin with, before their number.</param>
/// <param name="Norms">Behind the number: the linear layer that reads, and the normalisation's name.</param>
/// <param name="Final">The normalisation that the head reads.</param>
internal sealed record NormFamily(string Layers, IReadOnlyDictionary<string, string> Norms, string Final)
{
    /// <summary>The families whose names are known.</summary>
    public static IReadOnlyList<NormFamily> All { get; } =
    [
        new(
            "transformer.h.",
            new Dictionary<string, string> { ["attn.c_attn"] = "ln_1", ["mlp.c_fc"] = "ln_2" },
            "transformer.ln_f"),
        new(
            "model.layers.",
            new Dictionary<string, string>
            {
                ["self_attn.q_proj"] = "input_layernorm",
                ["self_attn.k_proj"] = "input_layernorm",
                ["self_attn.v_proj"] = "input_layernorm",
                ["mlp.gate_proj"] = "post_attention_layernorm",
                ["mlp.up_proj"] = "post_attention_layernorm",
            },
            "model.norm"),
    ];

    /// <summary>The name of the normalisation that a layer reads, or null where the family does not tell.</summary>
    /// <param name="layer">A layer's name, such as <c>transformer.h.3.attn.c_attn</c>.</param>
    public string? NormBefore(string layer)
    {
        if (!layer.StartsWith(Layers, StringComparison.Ordinal))
            return null;
        var number = layer[Layers.Length..].Split('.')[0];
        var block = Layers + number + ".";
        return layer.StartsWith(block, StringComparison.Ordinal) && Norms.TryGetValue(layer[block.Length..], out var norm)
            ? block + norm
            : null;
    }
}
