using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;

namespace OrtPeft.Adapters.BitFit;

/// <summary>BitFit: only biases train, those of normalisation layers included.</summary>
/// <seealso href="https://arxiv.org/abs/2106.10199">Ben Zaken et al., BitFit.</seealso>
public sealed record BitFitConfig : TargetedConfig
{
    /// <inheritdoc/>
    public override string PeftType => "BITFIT";

    internal override bool HasLayerFields => false;

    internal override IReadOnlyList<string> Adaptable(Graph graph) =>
        [.. VectorCatalogue.Vectors(graph).Where(static v => v.Kind == "bias").Select(static v => v.Module)];

    /// <summary>Reads the fields.</summary>
    /// <param name="fields">The file.</param>
    /// <returns>The configuration.</returns>
    /// <exception cref="ConfigException">A field is wrong or not supported; the message names it.</exception>
    public static BitFitConfig FromFields(ConfigFields fields) => WithTargets(new BitFitConfig(), fields);
}
