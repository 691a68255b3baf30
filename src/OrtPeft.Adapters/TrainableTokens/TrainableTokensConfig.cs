using System.Text.Json.Nodes;
using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.Modules;

namespace OrtPeft.Adapters.TrainableTokens;

/// <summary>
/// Trains the embeddings of chosen tokens, new rows [n, hidden] in place of the base's. A head that is tied to the
/// embedding has the same rows.
/// </summary>
/// <seealso href="https://huggingface.co/docs/peft/package_reference/trainable_tokens">HF PEFT's
/// TrainableTokensConfig.</seealso>
public sealed record TrainableTokensConfig : PeftConfig
{
    /// <inheritdoc/>
    public override string PeftType => "TRAINABLE_TOKENS";

    /// <summary>The tokens' ids, from 0, at least one, each once.</summary>
    public IReadOnlyList<int> TokenIndices { get; init; } = [];

    /// <summary>The embeddings, by names or name endings; null (default) takes the one that reads the tokens.</summary>
    public ModuleTargets? TargetModules { get; init; }

    /// <summary>Whether the rows start as the base's (default), so that the model does; false draws them from the
    /// normal distribution.</summary>
    public bool InitWeights { get; init; } = true;

    /// <summary>Reads HF PEFT's fields.</summary>
    /// <param name="fields">The file.</param>
    /// <returns>The configuration, checked.</returns>
    /// <exception cref="ConfigException">A field is wrong or not supported; the message names it.</exception>
    public static TrainableTokensConfig FromFields(ConfigFields fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        var target = fields.Json("target_modules") is JsonValue value && value.TryGetValue<string>(out var name)
            ? ModuleTargets.Listed(name)
            : ModuleTargets.FromJson(fields.Json("target_modules"), "target_modules");
        return WithShared(
            new TrainableTokensConfig
            {
                TokenIndices = fields.List<int>("token_indices") ?? [],
                TargetModules = target,
                InitWeights = fields.Flag("init_weights", true),
            },
            fields);
    }

    /// <inheritdoc/>
    protected override void WriteFields(IDictionary<string, JsonNode?> fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        fields["token_indices"] = new JsonArray([.. TokenIndices.Select(static t => (JsonNode)t)]);
        fields["target_modules"] = TargetModules?.ToJson();
        fields["init_weights"] = InitWeights;
    }
}
