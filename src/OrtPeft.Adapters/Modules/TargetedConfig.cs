using System.Text.Json.Nodes;
using OrtPeft.Adapters.Configuration;
using OrtPeft.Onnx;

namespace OrtPeft.Adapters.Modules;

/// <summary>The fields shared by the methods that adapt chosen modules, as HF PEFT names them.</summary>
public abstract record TargetedConfig : PeftConfig
{
    /// <summary>The modules to adapt; null (default) takes the method's own for the model at hand.</summary>
    public ModuleTargets? TargetModules { get; init; }

    /// <summary>Modules not to adapt, by the rules of <see cref="TargetModules"/>; null (default) for none.</summary>
    public ModuleTargets? ExcludeModules { get; init; }

    /// <summary>Only the layers of these numbers, from 0; null (default) for all.</summary>
    public IReadOnlyList<int>? LayersToTransform { get; init; }

    /// <summary>
    /// The name before a layer's number in module names, such as <c>h</c>; null (default) for anything.
    /// </summary>
    public IReadOnlyList<string>? LayersPattern { get; init; }

    /// <summary>
    /// Whether the source model stores weights [in, out]. It describes the base and changes nothing here; set when
    /// saving.
    /// </summary>
    public bool FanInFanOut { get; init; }

    /// <summary>
    /// Modules that train as a whole beside the adapter and are saved with it, such as <c>lm_head</c> or <c>ln_f</c>:
    /// names or name endings; null (default) for none. A head tied to an embedding becomes a copy of its own.
    /// </summary>
    public IReadOnlyList<string>? ModulesToSave { get; init; }

    internal override IReadOnlyList<string> SavedModuleNames => ModulesToSave ?? [];

    /// <summary>Whether HF PEFT's configuration of this method has the two layer fields. True by default.</summary>
    internal virtual bool HasLayerFields => true;

    /// <summary>Fields that name layers by number, and what stands before the number in names.</summary>
    internal virtual IReadOnlyList<(string Field, IReadOnlyList<int> Layers, IReadOnlyList<string>? Pattern)>
        NumberedLayers => [("layers_to_transform", LayersToTransform ?? [], LayersPattern)];

    /// <summary>Fields whose entries are for adapted modules, by pattern, the first match deciding.</summary>
    internal virtual IReadOnlyList<(string Field, IReadOnlyList<string> Patterns)> ModulePatterns => [];

    /// <summary>The parameters that are adapted by their own names, for which <see cref="ModulePatterns"/> are too.</summary>
    /// <param name="graph">The graph without the adapter, in canonical form.</param>
    internal virtual IReadOnlyList<string> AdaptedParameters(Graph graph) => [];

    /// <summary>Fields that pick some of the adapted modules.</summary>
    internal virtual IReadOnlyList<(string Field, ModuleTargets Modules)> ModuleSubsets => [];

    /// <summary>The names of all modules that the method can adapt.</summary>
    /// <param name="graph">The graph without the adapter, in canonical form.</param>
    internal virtual IReadOnlyList<string> Adaptable(Graph graph) =>
        [.. ModuleCatalogue.LinearModules(graph).Select(static m => m.Name)];

    /// <summary>Whether HF PEFT's configuration of this method has <c>exclude_modules</c>. True by default.</summary>
    internal virtual bool HasExcludeModules => true;

    /// <summary>Whether HF PEFT's configuration of this method has <c>fan_in_fan_out</c>. True by default.</summary>
    internal virtual bool HasFanInFanOut => true;

    /// <summary>The reason not to be beside others that parameters of the base give, which train in place.</summary>
    /// <param name="bias">The field of that name; <c>none</c> for methods without it.</param>
    internal string? WhyAlone(string bias = "none") => ModulesToSave is { Count: > 0 } saved
        ? $"modules_to_save ({string.Join(", ", saved)}) replaces parameters of the base"
        : bias == "none" ? null : $"bias '{bias}' replaces parameters of the base";

    /// <summary>Reads the shared fields. Call it last: what is unread by then is unknown.</summary>
    /// <typeparam name="T">The method's configuration.</typeparam>
    /// <param name="config">The configuration read so far.</param>
    /// <param name="fields">The file.</param>
    /// <returns>The configuration with the shared fields.</returns>
    protected static T WithTargets<T>(T config, ConfigFields fields)
        where T : TargetedConfig
    {
        ArgumentNullException.ThrowIfNull(fields);
        return WithShared(
            config with
            {
                TargetModules = ModuleTargets.FromJson(fields.Json("target_modules"), "target_modules"),
                ExcludeModules = ModuleTargets.FromJson(fields.Json("exclude_modules"), "exclude_modules"),
                LayersToTransform = fields.List<int>("layers_to_transform"),
                LayersPattern = fields.List<string>("layers_pattern") is var pattern && pattern is [""] ? null : pattern,
                FanInFanOut = fields.Flag("fan_in_fan_out", false),
                ModulesToSave = fields.List<string>("modules_to_save"),
            },
            fields);
    }

    /// <inheritdoc/>
    protected override void WriteFields(IDictionary<string, JsonNode?> fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        fields["target_modules"] = TargetModules?.ToJson();
        if (HasExcludeModules)
            fields["exclude_modules"] = ExcludeModules?.ToJson();
        if (HasFanInFanOut)
            fields["fan_in_fan_out"] = FanInFanOut;
        fields["modules_to_save"] = ConfigJson.Texts(ModulesToSave);
        if (!HasLayerFields)
            return;
        fields["layers_to_transform"] = LayersToTransform is null
            ? null
            : new JsonArray([.. LayersToTransform.Select(static l => (JsonNode)l)]);
        fields["layers_pattern"] = ConfigJson.Texts(LayersPattern);
    }
}
