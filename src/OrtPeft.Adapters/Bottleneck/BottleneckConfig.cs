using System.Text.Json.Nodes;
using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.Modules;

namespace OrtPeft.Adapters.Bottleneck;

/// <summary>
/// Bottleneck adapters: h ← h + s·up(f(down(x))) where a block's sublayer ends, with h [n, E] the sublayer's result
/// before the residual connection, down [E/k, E] and up [E, E/k] with biases, and f a nonlinear function. x is h
/// itself; or h with the residual (<see cref="OriginalLnBefore"/>); or the residual alone (<see cref="IsParallel"/>).
/// Fields and defaults are those of the adapters library's <c>DoubleSeqBnConfig</c>, which is Houlsby's.
/// </summary>
/// <remarks>
/// What the adapters library calls the input of a parallel adapter is the residual stream: in post-norm models the very
/// input of the sublayer that He et al. mean, in pre-norm models (GPT-2, Llama) that input before its normalisation.
/// </remarks>
/// <seealso href="https://arxiv.org/abs/1902.00751">Houlsby et al., figure 2.</seealso>
/// <seealso href="https://arxiv.org/abs/2005.00247">Pfeiffer et al., AdapterFusion, section 3.</seealso>
/// <seealso href="https://arxiv.org/abs/2110.04366">He et al., table 1: the parallel adapter and its scale s.</seealso>
/// <seealso href="https://docs.adapterhub.ml/classes/adapter_config.html">The adapters library's BnConfig.</seealso>
public sealed record BottleneckConfig : TargetedConfig
{
    /// <inheritdoc/>
    public override string PeftType => "BOTTLENECK";

    /// <summary>The adapter's name, which is part of its tensors' names. Default <c>default</c>.</summary>
    public string Name { get; init; } = "default";

    /// <summary>
    /// Whether attention has an adapter. Default true. <see cref="TargetedConfig.TargetModules"/>, where given, decides
    /// instead of this and <see cref="OutputAdapter"/>.
    /// </summary>
    public bool MhAdapter { get; init; } = true;

    /// <summary>Whether the MLP has an adapter. Default true.</summary>
    public bool OutputAdapter { get; init; } = true;

    /// <summary>k: the bottleneck has ⌊E / k⌋ features, at least 1. Above 0; default 16.</summary>
    public double ReductionFactor { get; init; } = 16;

    /// <summary>k of single layers by number; others take <see cref="ReductionFactor"/>. None by default.</summary>
    public IReadOnlyList<KeyValuePair<string, double>> ReductionFactorOfLayers { get; init; } = [];

    /// <summary>f: one of <see cref="NonLinearities.Names"/>. Default <c>swish</c>.</summary>
    public string NonLinearity { get; init; } = "swish";

    /// <summary>
    /// Whether the adapter reads h with the residual added (and normalised, in models that normalise after the sum;
    /// those are not supported here). Not used by parallel adapters. Default false.
    /// </summary>
    public bool OriginalLnBefore { get; init; }

    /// <summary>Whether the adapter reads the residual in place of the sublayer's result. Default false.</summary>
    public bool IsParallel { get; init; }

    /// <summary>s, unless <see cref="TrainedScaling"/> makes it a parameter. Default 1.</summary>
    public double Scaling { get; init; } = 1;

    /// <summary>
    /// <c>learned</c>: s trains, one number per adapter; <c>channel</c>: one per feature; both start at 1. Null
    /// (default): s is <see cref="Scaling"/>.
    /// </summary>
    public string? TrainedScaling { get; init; }

    /// <summary>The probability, 0 to below 1, that a feature of s·up(…) is dropped while training. Default
    /// 0.</summary>
    public double Dropout { get; init; }

    /// <summary>Layers without adapters, from 0; none by default.</summary>
    public IReadOnlyList<int> LeaveOut { get; init; } = [];

    /// <summary>
    /// Fresh weights: <c>bert</c> (default: normal, deviation 0.02, so close to the base but not the base),
    /// <c>houlsby</c> (normal, deviation 0.01, cut at two deviations) or <c>mam_adapter</c> (down as Kaiming, up zero:
    /// starts as the base). Biases are zero.
    /// </summary>
    public string InitWeights { get; init; } = "bert";

    /// <summary>
    /// The fields that the adapters library writes around its <c>config</c>, such as <c>model_type</c>: the adapter is
    /// then saved in that library's layout. Null (default) saves all fields flat, beside <c>peft_type</c>.
    /// </summary>
    public JsonObject? LibraryFields { get; init; }

    /// <inheritdoc/>
    public override string WeightsFile => LibraryFields is null ? base.WeightsFile : LibraryLayout.WeightsFile;

    internal override IReadOnlyList<(string Field, IReadOnlyList<int> Layers, IReadOnlyList<string>? Pattern)>
        NumberedLayers =>
    [
        .. base.NumberedLayers,
        ("leave_out", LeaveOut, null),
        ("reduction_factor", [.. ReductionFactorOfLayers.Select(static f => BottleneckFields.LayerOf(f.Key))], null),
    ];

    /// <summary>Reads the adapters library's fields, flat, beside <c>peft_type</c>.</summary>
    /// <param name="fields">
    /// The file. <c>preset</c>, one of <see cref="BottleneckPresets.Names"/>, gives what other fields leave open.
    /// </param>
    /// <returns>The configuration, checked.</returns>
    /// <exception cref="ConfigException">A field is wrong or not supported; the message names it.</exception>
    public static BottleneckConfig FromFields(ConfigFields fields) => BottleneckFields.Read(fields);

    /// <summary>The number of features inside one layer's adapter.</summary>
    /// <param name="hidden">E.</param>
    /// <param name="layer">The layer's number as text; null where the module's name has none.</param>
    /// <returns>⌊E / k⌋, at least 1.</returns>
    public long SizeOf(long hidden, string? layer)
    {
        var own = ReductionFactorOfLayers
            .Where(f => f.Key == layer)
            .Select(static f => (double?)f.Value)
            .FirstOrDefault();
        return Math.Max(1, (long)Math.Floor(hidden / (own ?? ReductionFactor)));
    }

    /// <summary>Checks every field's range.</summary>
    /// <exception cref="ConfigException">A field is out of range; the message names it.</exception>
    public void Validate() => BottleneckFields.Check(this);

    /// <inheritdoc/>
    protected override JsonObject Arranged(JsonObject fields) =>
        LibraryFields is null ? fields : LibraryLayout.Nested(fields, LibraryFields);

    internal static BottleneckConfig WithShared(BottleneckConfig config, ConfigFields fields) =>
        WithTargets(config, fields);

    /// <inheritdoc/>
    protected override void WriteFields(IDictionary<string, JsonNode?> fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        base.WriteFields(fields);
        BottleneckFields.Write(this, fields);
    }
}
