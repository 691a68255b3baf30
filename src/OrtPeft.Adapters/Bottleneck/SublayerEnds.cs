using OrtPeft.Adapters.Modules;

namespace OrtPeft.Adapters.Bottleneck;

/// <summary>The linear layers that end a block's two sublayers, by the naming of model families.</summary>
internal static class SublayerEnds
{
    private static readonly (string Attention, string Mlp)[] Rows =
    [
        ("attn.c_proj", "mlp.c_proj"), // GPT-2
        ("self_attn.o_proj", "mlp.down_proj"), // Llama, Mistral, Qwen, Gemma
        ("attention.dense", "mlp.dense_4h_to_h"), // GPT-NeoX
        ("self_attention.dense", "mlp.dense_4h_to_h"), // BLOOM
        ("self_attn.out_proj", "fc2"), // OPT
        ("attn.out_proj", "mlp.fc_out"), // GPT-J
        ("attn.attention.out_proj", "mlp.c_proj"), // GPT-Neo
    ];

    /// <summary>The places where a configuration without targets puts adapters.</summary>
    /// <exception cref="ConfigException">It puts none, or the model's names are of no known family.</exception>
    public static ModuleTargets For(IReadOnlyList<LinearModule> modules, BottleneckConfig config)
    {
        if (!config.MhAdapter && !config.OutputAdapter)
            throw new ConfigException("mh_adapter and output_adapter are both false; set one of them.");
        var row = Rows.FirstOrDefault(r => modules.Any(m => TargetSelector.EndsWith(m.Name, r.Attention))
            && modules.Any(m => TargetSelector.EndsWith(m.Name, r.Mlp)));
        if (row.Attention is null)
            throw new ConfigException(
                "The layers that end attention and MLP are not known for this model's names; give them in "
                + $"target_modules, as {Rows[0].Attention} and {Rows[0].Mlp} of GPT-2.");
        (bool IsWanted, string Name)[] ends = [(config.MhAdapter, row.Attention), (config.OutputAdapter, row.Mlp)];
        return ModuleTargets.Listed(ends.Where(static e => e.IsWanted).Select(static e => e.Name));
    }

    /// <summary>
    /// Where the adapters library keeps the adapter behind a layer: <c>BLOCK.attention_adapters</c> or
    /// <c>BLOCK.output_adapters</c>; behind a layer of unknown name, in the layer itself.
    /// </summary>
    public static string HolderOf(LinearModule module)
    {
        foreach (var (attention, mlp) in Rows)
        {
            if (TargetSelector.EndsWith(module.Name, attention))
                return module.Name[..^attention.Length] + "attention_adapters";
            if (TargetSelector.EndsWith(module.Name, mlp))
                return module.Name[..^mlp.Length] + "output_adapters";
        }

        return module.Name;
    }
}
