using System.Globalization;
using System.Text.Json.Nodes;
using OrtPeft.Adapters.Configuration;

namespace OrtPeft.Adapters.Bottleneck;

/// <summary>Between <see cref="BottleneckConfig"/> and its JSON.</summary>
internal static class BottleneckFields
{
    private const string Default = "default";

    private static readonly string[] TrainedScalings = ["learned", "channel"];

    /// <summary>Fields that, switched on, make another function of the same weights.</summary>
    private static readonly string[] Refused =
    [
        "ln_before", "ln_after", "use_gating", "phm_layer", "inv_adapter", "invertible_adapter", "cross_adapter",
        "shared_parameters",
    ];

    public static BottleneckConfig Read(ConfigFields fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        var preset = BottleneckPresets.Named(fields.Text("preset") ?? "houlsby");
        foreach (var field in Refused)
            fields.Refuse(field, "take an adapter without it");
        fields.RefuseOtherThan("original_ln_after", true);
        fields.RefuseOtherThan("residual_before_ln", true);
        fields.RefuseOtherThan("stochastic_depth", JsonNode.Parse("0.0")!);
        var config = WithScaling(WithReduction(preset, fields), fields) with
        {
            Name = fields.Text("name", preset.Name)!,
            MhAdapter = fields.Flag("mh_adapter", preset.MhAdapter),
            OutputAdapter = fields.Flag("output_adapter", preset.OutputAdapter),
            NonLinearity = fields.Text("non_linearity", preset.NonLinearity)!,
            OriginalLnBefore = fields.Flag("original_ln_before", preset.OriginalLnBefore),
            IsParallel = fields.Flag("is_parallel", preset.IsParallel),
            Dropout = fields.Number("dropout", preset.Dropout),
            LeaveOut = fields.List<int>("leave_out") ?? preset.LeaveOut,
            InitWeights = fields.Text("init_weights", preset.InitWeights)!,
            LibraryFields = LibraryLayout.FieldsOf(fields.Json(LibraryLayout.Field)),
        };
        config = BottleneckConfig.WithShared(config, fields);
        if (config is { LibraryFields: not null, TargetModules: { } targets })
            throw new ConfigException(
                $"target_modules is '{targets}', for which the adapters library's layout has no place; leave it out.");
        Check(config);
        return config;
    }

    public static void Check(BottleneckConfig config)
    {
        if (config.Name.Length == 0 || config.Name.Contains('.', StringComparison.Ordinal))
            throw new ConfigException($"name is '{config.Name}'; it must be a text without dots.");
        var ofLayers = config.ReductionFactorOfLayers.Select(static f => f.Value);
        foreach (var factor in ofLayers.Append(config.ReductionFactor))
            FieldRange.Require(factor > 0 && double.IsFinite(factor), "reduction_factor", factor, "a number above 0");
        FieldRange.Finite("scaling", config.Scaling);
        if (config.TrainedScaling is { } trained && !TrainedScalings.Contains(trained))
            throw new ConfigException($"scaling is '{trained}'; it must be a number, learned or channel.");
        FieldRange.Dropout("dropout", config.Dropout);
        NonLinearities.Named(config.NonLinearity);
        BottleneckWeights.Named(config.InitWeights);
    }

    /// <summary>The layer that a key of <c>reduction_factor</c> means.</summary>
    /// <exception cref="ConfigException">It is not a number.</exception>
    public static int LayerOf(string key) =>
        int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out var layer)
            ? layer
            : throw new ConfigException($"reduction_factor has '{key}'; it must be layers' numbers, or {Default}.");

    public static void Write(BottleneckConfig config, IDictionary<string, JsonNode?> fields)
    {
        fields["name"] = config.Name;
        fields["mh_adapter"] = config.MhAdapter;
        fields["output_adapter"] = config.OutputAdapter;
        fields["reduction_factor"] = config.ReductionFactorOfLayers.Count == 0
            ? ConfigJson.Number(config.ReductionFactor)
            : ConfigJson.Numbers([.. config.ReductionFactorOfLayers, new(Default, config.ReductionFactor)]);
        fields["non_linearity"] = config.NonLinearity;
        fields["original_ln_before"] = config.OriginalLnBefore;
        fields["is_parallel"] = config.IsParallel;
        // The adapters library tells a constant from a word by its being a float: 1.0, not 1.
        fields["scaling"] = config.TrainedScaling is { } trained
            ? JsonValue.Create(trained)
            : JsonNode.Parse(config.Scaling.ToString("0.0###############", CultureInfo.InvariantCulture));
        fields["dropout"] = config.Dropout;
        fields["leave_out"] = new JsonArray([.. config.LeaveOut.Select(static l => (JsonNode)l)]);
        fields["init_weights"] = config.InitWeights;
    }

    private static BottleneckConfig WithReduction(BottleneckConfig preset, ConfigFields fields)
    {
        if (fields.Json("reduction_factor") is not JsonObject)
            return preset with { ReductionFactor = fields.Number("reduction_factor", preset.ReductionFactor) };
        var layers = fields.Map<double>("reduction_factor");
        var others = layers.Where(static f => f.Key == Default).Select(static f => f.Value);
        return preset with
        {
            ReductionFactor = others.FirstOrDefault(preset.ReductionFactor),
            ReductionFactorOfLayers = [.. layers.Where(static f => f.Key != Default)],
        };
    }

    private static BottleneckConfig WithScaling(BottleneckConfig config, ConfigFields fields) =>
        fields.Json("scaling") switch
        {
            null => config,
            JsonValue value when value.TryGetValue<string>(out var word) => config with { TrainedScaling = word },
            _ => config with { Scaling = fields.Number("scaling", config.Scaling), TrainedScaling = null },
        };
}
