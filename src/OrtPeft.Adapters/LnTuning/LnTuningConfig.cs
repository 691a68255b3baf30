using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;

namespace OrtPeft.Adapters.LnTuning;

/// <summary>
/// Normalisation tuning: only weights and biases of normalisation layers train, and of other layers that are named.
/// </summary>
/// <seealso href="https://arxiv.org/abs/2312.11420">Zhao et al., Tuning LayerNorm in Attention.</seealso>
/// <seealso href="https://huggingface.co/docs/peft/package_reference/layernorm_tuning">HF PEFT's
/// LNTuningConfig.</seealso>
public sealed record LnTuningConfig : TargetedConfig
{
    /// <inheritdoc/>
    public override string PeftType => "LN_TUNING";

    internal override bool HasLayerFields => false;

    internal override bool HasFanInFanOut => false;

    internal override IReadOnlyList<string> Adaptable(Graph graph) => LnTuningModules.Adaptable(graph, this);

    /// <summary>Reads HF PEFT's fields.</summary>
    /// <param name="fields">The file.</param>
    /// <returns>The configuration.</returns>
    /// <exception cref="ConfigException">A field is wrong or not supported; the message names it.</exception>
    public static LnTuningConfig FromFields(ConfigFields fields) => WithTargets(new LnTuningConfig(), fields);
}
