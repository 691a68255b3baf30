using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx.Decoders;

namespace OrtPeft.Adapters.Bottleneck;

/// <summary>The linear layers that end a block's two sublayers, by the naming of model families.</summary>
internal static class SublayerEnds
{
    /// <summary>The places where a configuration without targets puts adapters.</summary>
    /// <exception cref="ConfigException">It puts none, or the model's names are of no known family.</exception>
    public static ModuleTargets For(IReadOnlyList<LinearModule> modules, BottleneckConfig config)
    {
        if (!config.MhAdapter && !config.OutputAdapter)
            throw new ConfigException("mh_adapter and output_adapter are both false; set one of them.");
        var family = DecoderFamilies.All.FirstOrDefault(f =>
            modules.Any(m => TargetSelector.EndsWith(m.Name, f.AttentionOutput))
            && modules.Any(m => TargetSelector.EndsWith(m.Name, f.MlpOutput)));
        if (family is null)
        {
            var known = DecoderFamilies.All[0];
            throw new ConfigException(
                "The layers that end attention and MLP are not known for this model's names; give them in "
                + $"target_modules, as {known.AttentionOutput} and {known.MlpOutput} of GPT-2.");
        }

        (bool IsWanted, string Name)[] ends =
            [(config.MhAdapter, family.AttentionOutput), (config.OutputAdapter, family.MlpOutput)];
        return ModuleTargets.Listed(ends.Where(static e => e.IsWanted).Select(static e => e.Name));
    }

    /// <summary>
    /// Where the adapters library keeps the adapter after a layer: <c>BLOCK.attention_adapters</c> or
    /// <c>BLOCK.output_adapters</c>; after a layer of unknown name, in the layer itself.
    /// </summary>
    public static string HolderOf(LinearModule module)
    {
        foreach (var family in DecoderFamilies.All)
        {
            if (TargetSelector.EndsWith(module.Name, family.AttentionOutput))
                return module.Name[..^family.AttentionOutput.Length] + "attention_adapters";
            if (TargetSelector.EndsWith(module.Name, family.MlpOutput))
                return module.Name[..^family.MlpOutput.Length] + "output_adapters";
        }

        return module.Name;
    }
}
