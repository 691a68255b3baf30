using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.LnTuning;

/// <summary>Trains the base's normalisation layers in place.</summary>
/// <seealso href="https://arxiv.org/abs/2312.11420">Zhao et al., Tuning LayerNorm in Attention.</seealso>
internal sealed class LnTuningMethod : IPeftMethod
{
    /// <inheritdoc/>
    public MethodDescription Description { get; } = new()
    {
        Name = "ln-tuning",
        PeftType = "LN_TUNING",
        Title = "LayerNorm tuning",
        Paper = new("https://arxiv.org/abs/2312.11420"),
        Trains = "weights and biases of the normalisation layers",
        Options = [SharedOptions.Targets, SharedOptions.Layers],
    };

    /// <inheritdoc/>
    public PeftConfig ReadConfig(ConfigFields fields) => LnTuningConfig.FromFields(fields);

    /// <inheritdoc/>
    public Injection Inject(Model model, PeftConfig config, long seed)
    {
        ArgumentNullException.ThrowIfNull(model);
        var tuning = (LnTuningConfig)config;
        tuning = tuning with { TargetModules = tuning.TargetModules ?? DefaultTargets.NormsOf(model.Graph) };
        var selected = LnTuningModules.Select(model.Graph, tuning);
        var written = LnTuningModules.Written(model.Graph, tuning, selected);
        var builder = GraphBuilder.Over(model);
        builder.Scope = "/ln_tuning";
        return new Injection(written, [.. selected.Select(s => new AdapterParameter(NameOf(s), Trained(s, builder)))])
        {
            Merge = (copy, weights) =>
            {
                foreach (var saved in Counterparts.Of(selected, copy))
                    Fold(copy, saved, weights[NameOf(saved)]);
            },
        };
    }

    private static void Fold(Graph graph, SavedParameter saved, Tensor trained)
    {
        if (IsVector(saved))
            saved.Replace(graph, trained);
        else
            saved.Fold(graph, trained);
    }

    /// <summary>Vectors are their module's own; a matrix may be a tied head's too, and is copied then.</summary>
    private static Value Trained(SavedParameter saved, GraphBuilder g) => IsVector(saved) && !saved.IsPlusOne ? saved.Value : saved.Own(g);

    private static bool IsVector(SavedParameter saved) => saved.Value.Initializer is { Dims.Length: 1 };

    private static string NameOf(SavedParameter saved) =>
        HfName.Of(saved.Module, $"ln_tuning_layers.{saved.Kind}");
}
