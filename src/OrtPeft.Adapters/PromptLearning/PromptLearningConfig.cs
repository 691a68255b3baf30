using System.Text.Json.Nodes;
using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.Modules;

namespace OrtPeft.Adapters.PromptLearning;

/// <summary>
/// The common part of the configurations of methods that learn virtual tokens, with HF PEFT's fields. Those that
/// describe the model are filled in when an adapter is made, and compared with the model when it is read.
/// </summary>
/// <seealso href="https://huggingface.co/docs/peft/package_reference/prompt_tuning">HF PEFT's
/// PromptLearningConfig.</seealso>
public abstract record PromptLearningConfig : PeftConfig
{
    /// <summary>The one tensor that files hold: what the virtual tokens are, whatever network made them.</summary>
    internal const string PromptName = "prompt_embeddings";

    /// <summary>The number P of virtual tokens, at least 1. Default 20; HF PEFT has no default.</summary>
    public int NumVirtualTokens { get; init; } = 20;

    /// <summary>The width of the model's embeddings; of its keys, heads together, in prefix tuning.</summary>
    public int? TokenDim { get; init; }

    /// <summary>The model's attention heads; those of its keys in prefix tuning.</summary>
    public int? NumAttentionHeads { get; init; }

    /// <summary>The model's layers.</summary>
    public int? NumLayers { get; init; }

    /// <summary>
    /// Modules that train as a whole beside the virtual tokens and are saved with them, such as <c>lm_head</c>: names or
    /// name endings; null (default) for none.
    /// </summary>
    public IReadOnlyList<string>? ModulesToSave { get; init; }

    internal override IReadOnlyList<string> SavedModuleNames => ModulesToSave ?? [];

    /// <summary>HF PEFT wraps no module for these methods, so that names in files are those in its own model.</summary>
    internal override string NameOfSaved(string parameter) => HfName.OfShared(parameter);

    /// <summary>Whether the weights at hand are the virtual tokens themselves, as files hold them.</summary>
    internal bool IsFlat { get; init; }

    /// <inheritdoc/>
    public override PeftConfig FittedTo(IReadOnlyCollection<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        return this with { IsFlat = names.Contains(PromptName) };
    }

    /// <inheritdoc/>
    public override string? WhyBaseIsNeeded(IReadOnlyCollection<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        return names.Contains(PromptName)
            ? null
            : $"{PeftType} trained an encoder, and files hold what it makes, which the model's graph computes";
    }

    /// <summary>Checks every field's range.</summary>
    /// <exception cref="ConfigException">A field is out of range; the message names it.</exception>
    public virtual void Validate() => FieldRange.AtLeastOne("num_virtual_tokens", NumVirtualTokens);

    /// <summary>Reads the shared fields. Call it last: what is unread by then is unknown.</summary>
    /// <typeparam name="T">The method's configuration.</typeparam>
    /// <param name="config">The configuration read so far.</param>
    /// <param name="fields">The file.</param>
    /// <returns>The configuration with the shared fields, checked.</returns>
    protected static T WithPrompt<T>(T config, ConfigFields fields)
        where T : PromptLearningConfig
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(fields);
        if (fields.Integer("num_transformer_submodules", 1) is var submodules and not 1)
            throw new ConfigException(
                $"num_transformer_submodules is {submodules}; only decoders, which have 1, are supported.");
        var read = WithShared(
            config with
            {
                NumVirtualTokens = fields.Integer("num_virtual_tokens", config.NumVirtualTokens),
                TokenDim = Optional(fields, "token_dim"),
                NumAttentionHeads = Optional(fields, "num_attention_heads"),
                NumLayers = Optional(fields, "num_layers"),
                ModulesToSave = fields.List<string>("modules_to_save"),
            },
            fields);
        read.Validate();
        return read;
    }

    /// <summary>A whole number, or null when absent.</summary>
    /// <param name="fields">The file.</param>
    /// <param name="field">Its name.</param>
    /// <returns>The number.</returns>
    protected static int? Optional(ConfigFields fields, string field)
    {
        ArgumentNullException.ThrowIfNull(fields);
        return fields.Json(field) is null ? null : fields.Integer(field, 0);
    }

    /// <summary>Fills in what the model says.</summary>
    /// <param name="tokenDim">The width.</param>
    /// <param name="heads">The heads, or null when the graph does not tell.</param>
    /// <param name="layers">The layers, or null when the graph does not tell.</param>
    /// <exception cref="ConfigException">A field is given that says something else.</exception>
    internal PromptLearningConfig For(long tokenDim, long? heads, int? layers) => this with
    {
        TokenDim = Agreed("token_dim", TokenDim, tokenDim),
        NumAttentionHeads = Agreed("num_attention_heads", NumAttentionHeads, heads),
        NumLayers = Agreed("num_layers", NumLayers, layers),
    };

    /// <inheritdoc/>
    protected override void WriteFields(IDictionary<string, JsonNode?> fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        fields["num_virtual_tokens"] = NumVirtualTokens;
        fields["token_dim"] = TokenDim;
        fields["num_attention_heads"] = NumAttentionHeads;
        fields["num_layers"] = NumLayers;
        fields["num_transformer_submodules"] = 1;
        if (ModulesToSave is not null)
            fields["modules_to_save"] = ConfigJson.Texts(ModulesToSave);
    }

    private static int? Agreed(string field, int? given, long? found)
    {
        if (given is not null && found is not null && given != found)
            throw new ConfigException(
                $"{field} is {given}, but the model's is {found}; is it an adapter for another model?");
        return given ?? (int?)found;
    }
}
