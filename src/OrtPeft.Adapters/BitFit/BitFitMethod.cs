using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;

namespace OrtPeft.Adapters.BitFit;

/// <summary>
/// Trains the base's biases in place. HF PEFT has no such method: the file holds the biases under the base's own names.
/// </summary>
/// <seealso href="https://arxiv.org/abs/2106.10199">Ben Zaken et al., BitFit.</seealso>
internal sealed class BitFitMethod : IPeftMethod
{
    /// <inheritdoc/>
    public MethodDescription Description { get; } = new()
    {
        Name = "bitfit",
        PeftType = "BITFIT",
        Title = "BitFit",
        Paper = new("https://arxiv.org/abs/2106.10199"),
        Trains = "every bias, or those of chosen modules",
        Options = [SharedOptions.Targets, SharedOptions.Layers],
        IsInHfPeft = false,
    };

    /// <inheritdoc/>
    public PeftConfig ReadConfig(ConfigFields fields) => BitFitConfig.FromFields(fields);

    /// <inheritdoc/>
    public Injection Inject(Model model, PeftConfig config, long seed)
    {
        ArgumentNullException.ThrowIfNull(model);
        var biases = Select(model.Graph, (BitFitConfig)config);
        return new Injection(config, biases) { Merge = Counterparts.FoldingOf(biases) };
    }

    private static IReadOnlyList<AdapterParameter> Select(Graph graph, BitFitConfig config)
    {
        var biases = VectorCatalogue.Vectors(graph).Where(static v => v.Kind == "bias").ToList();
        return [.. VectorSelection.Select(biases, config, "biases")
            .Select(static v => new AdapterParameter(v.Name, v.Value))];
    }
}
