using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.LnTuning;

/// <summary>Trains the base's normalisation layers in place.</summary>
/// <seealso href="https://arxiv.org/abs/2312.11420">Zhao et al., Tuning LayerNorm in Attention.</seealso>
public sealed class LnTuningMethod : IPeftMethod
{
    /// <inheritdoc/>
    public MethodDescription Description { get; } = new()
    {
        Name = "ln-tuning",
        PeftType = "LN_TUNING",
        Title = "LayerNorm tuning",
        Paper = new("https://arxiv.org/abs/2312.11420"),
        Trains = "weights and biases of the normalisation layers",
    };

    /// <inheritdoc/>
    public PeftConfig ReadConfig(ConfigFields fields) => LnTuningConfig.FromFields(fields);

    /// <inheritdoc/>
    public Injection Inject(Model model, PeftConfig config, long seed)
    {
        ArgumentNullException.ThrowIfNull(model);
        var tuning = (LnTuningConfig)config;
        var selected = Select(model.Graph, tuning);
        var isWhole = tuning.LayersToTransform is { Count: > 0 }; // HF PEFT's configuration has no layer fields
        var names = !isWhole && tuning.TargetModules is { } given
            ? given
            : ModuleTargets.Listed(selected.Select(v => isWhole ? v.Module : v.Module.Split('.')[^1]).Distinct());
        return new Injection(tuning with { TargetModules = names }, [.. selected.Select(Parameter)]);
    }

    /// <inheritdoc/>
    public void Merge(Model model, PeftConfig config, IReadOnlyDictionary<string, Tensor> weights)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(weights);
        VectorSelection.Fold(model.Graph, Select(model.Graph, (LnTuningConfig)config).Select(Parameter), weights);
    }

    private static IReadOnlyList<VectorParameter> Select(Graph graph, LnTuningConfig config) =>
        VectorSelection.Select(VectorCatalogue.NormVectors(graph), config, "normalisation parameters");

    private static AdapterParameter Parameter(VectorParameter vector) =>
        new($"base_model.model.{vector.Module}.ln_tuning_layers.{vector.Kind}", vector.Value);
}
