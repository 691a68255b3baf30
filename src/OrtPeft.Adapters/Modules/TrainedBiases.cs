using OrtPeft.Onnx;

namespace OrtPeft.Adapters.Modules;

/// <summary>The base's biases that train beside an adapter, by HF PEFT's <c>bias</c> field and under its
/// names.</summary>
internal static class TrainedBiases
{
    /// <summary>Picks the biases.</summary>
    /// <param name="graph">The adapted graph.</param>
    /// <param name="bias"><c>none</c>, <c>all</c>, or the method's own word.</param>
    /// <param name="ofAdaptedOnly">The method's word for the adapted layers' biases, such as <c>lora_only</c>.</param>
    /// <param name="adapted">The adapted layers.</param>
    /// <param name="modulesToSave">Modules that train as wholes, whose biases are theirs.</param>
    /// <exception cref="ConfigException">It is another word.</exception>
    public static IReadOnlyList<AdapterParameter> Select(
        Graph graph,
        string bias,
        string ofAdaptedOnly,
        IReadOnlyList<LinearModule> adapted,
        IReadOnlyList<string>? modulesToSave)
    {
        Check(bias, ofAdaptedOnly);
        if (bias == "none")
            return [];
        var ofAdapted = adapted.Where(static m => m.Bias is not null)
            .Select(static m => new AdapterParameter(HfName.Of(m.Name, "base_layer.bias"), m.Bias!)
            {
                IsOptional = true, // HF PEFT leaves these biases out of its files
                Aliases = [$"{m.Name}.bias", HfName.Of(m.Name, "bias")], // loralib's name, and HF PEFT's before 0.7
            })
            .ToList();
        return bias == "all" ? [.. ofAdapted, .. Others(graph, ofAdapted, modulesToSave ?? [])] : ofAdapted;
    }

    /// <summary>Checks the field's value.</summary>
    public static void Check(string bias, string ofAdaptedOnly)
    {
        if (bias != "none" && bias != "all" && bias != ofAdaptedOnly)
            throw new ConfigException($"bias is '{bias}'; it must be one of none, all, {ofAdaptedOnly}.");
    }

    private static IEnumerable<AdapterParameter> Others(
        Graph graph, List<AdapterParameter> ofAdapted, IReadOnlyList<string> modulesToSave)
    {
        var taken = ofAdapted.Select(static p => p.Value).ToHashSet();
        return VectorCatalogue.Vectors(graph).Where(v => v.Kind == "bias" && !taken.Contains(v.Value)
                && !modulesToSave.Any(name => SavedModules.IsNamed(v.Module, name)))
            .Select(static v => new AdapterParameter(HfName.Of(v.Name), v.Value) { Aliases = [v.Name] });
    }
}
