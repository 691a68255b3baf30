using System.Text.Json.Nodes;
using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.Modules;

namespace OrtPeft.Adapters;

/// <summary>
/// The common part of all methods' configurations, with HF PEFT's fields. Immutable: change it with <c>with</c>.
/// </summary>
/// <seealso href="https://huggingface.co/docs/peft/package_reference/config"/>
public abstract record PeftConfig
{
    /// <summary>The method's name in <c>adapter_config.json</c>, such as <c>LORA</c>.</summary>
    public abstract string PeftType { get; }

    /// <summary>The task of the model; <c>CAUSAL_LM</c> by default.</summary>
    public string? TaskType { get; init; } = "CAUSAL_LM";

    /// <summary>Where the base model came from; informative.</summary>
    public string? BaseModelNameOrPath { get; init; }

    /// <summary>The base model's revision; informative.</summary>
    public string? Revision { get; init; }

    /// <summary>Fields of the file that OrtPeft does not know; written back as they were.</summary>
    public JsonObject Unknown { get; init; } = [];

    /// <summary>
    /// The names of the <see cref="Unknown"/> fields that may matter, for warnings: not those that are null, false or
    /// empty, nor those that are known to have no effect on a trained adapter, such as <c>peft_version</c>.
    /// </summary>
    public IReadOnlyList<string> UnknownFields => FieldsWithoutEffect.Without(Unknown);

    /// <summary>The name of the file that holds the weights, beside the configuration's.</summary>
    public virtual string WeightsFile => AdapterFolder.WeightsFile;

    /// <summary>
    /// Why such an adapter cannot be active beside others of the same model; null where it can, as what only adds to
    /// its layers' results does.
    /// </summary>
    public virtual string? WhyNotBesideOthers => WhyMoreThanAddition;

    /// <summary>The modules that train as a whole beside the adapter: names or name endings; none by default.</summary>
    internal virtual IReadOnlyList<string> SavedModuleNames => [];

    /// <summary>Whether an embedding and its tied head are saved as one module. False but for LoRA's field of that
    /// name.</summary>
    internal virtual bool EnsuresWeightTying => false;

    /// <summary>The name in HF PEFT's files of a parameter of the base that the adapter has a copy of.</summary>
    /// <param name="parameter">Its path in the source model, such as <c>lm_head.weight</c>.</param>
    internal virtual string NameOfSaved(string parameter) => HfName.Of(parameter);

    /// <summary>Whether the base's own parameters train, wherever the graph reads them.</summary>
    internal virtual bool TrainsBase => false;

    /// <summary>The effect on its layers beyond what is added to their results; null where it only adds, as LoRA
    /// does.</summary>
    internal virtual string? WhyMoreThanAddition => $"{PeftType} does more than add to its layers' results";

    /// <summary>
    /// The configuration for tensors of these names, where a method has more than one form on disk; itself by default.
    /// </summary>
    /// <param name="names">The names of a file's tensors.</param>
    /// <returns>The configuration that takes them.</returns>
    public virtual PeftConfig FittedTo(IReadOnlyCollection<string> names) => this;

    /// <summary>The names of tensors that are saved with the adapter without training; none by default.</summary>
    public virtual IReadOnlyList<string> SavedConstants => [];

    /// <summary>
    /// Why tensors of these names, as training leaves them, cannot be written as an adapter without looking at the base
    /// model; null (default) where they are what files hold.
    /// </summary>
    /// <param name="names">The names of the tensors.</param>
    /// <returns>The reason, as a sentence without its full stop.</returns>
    public virtual string? WhyBaseIsNeeded(IReadOnlyCollection<string> names) => null;

    /// <summary>The configuration as HF PEFT writes it: all fields, sorted by name.</summary>
    /// <returns>The content of <c>adapter_config.json</c>.</returns>
    public JsonObject ToJson()
    {
        var fields = new SortedDictionary<string, JsonNode?>(StringComparer.Ordinal)
        {
            ["auto_mapping"] = null,
            ["base_model_name_or_path"] = BaseModelNameOrPath,
            ["inference_mode"] = true,
            ["peft_type"] = PeftType,
            ["revision"] = Revision,
            ["task_type"] = TaskType,
        };
        foreach (var (name, value) in Unknown)
            fields[name] = value?.DeepClone();
        WriteFields(fields);
        return Arranged(new JsonObject(fields));
    }

    /// <summary>The layout of the file, where it is not one object of all fields.</summary>
    /// <param name="fields">All fields.</param>
    /// <returns>The file's content.</returns>
    protected virtual JsonObject Arranged(JsonObject fields) => fields;

    /// <summary>Adds the method's own fields.</summary>
    /// <param name="fields">The fields by name.</param>
    protected abstract void WriteFields(IDictionary<string, JsonNode?> fields);

    /// <summary>Reads the fields that all methods share. Call it last: what is unread by then is unknown.</summary>
    /// <typeparam name="T">The method's configuration.</typeparam>
    /// <param name="config">The configuration read so far.</param>
    /// <param name="fields">The file.</param>
    /// <returns>The configuration with the shared fields.</returns>
    protected static T WithShared<T>(T config, ConfigFields fields)
        where T : PeftConfig
    {
        fields.Text("peft_type");
        fields.Flag("inference_mode", false);
        return config with
        {
            TaskType = fields.Text("task_type"),
            BaseModelNameOrPath = fields.Text("base_model_name_or_path"),
            Revision = fields.Text("revision"),
            Unknown = fields.Unread,
        };
    }
}
