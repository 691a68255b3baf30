using System.Text.Json.Nodes;
using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.Modules;

namespace OrtPeft.Adapters.Ia3;

/// <summary>
/// IA³: a vector l per layer, y = l ⊙ (x·W + bias), or in feed-forward layers y = (x ⊙ l)·W + bias; only l trains.
/// </summary>
/// <seealso href="https://arxiv.org/abs/2205.05638">Liu et al., section 3.3.</seealso>
/// <seealso href="https://huggingface.co/docs/peft/package_reference/ia3">HF PEFT's IA3Config.</seealso>
public sealed record Ia3Config : TargetedConfig
{
    /// <inheritdoc/>
    public override string PeftType => "IA3";

    /// <summary>
    /// The targets that scale what they read instead of what they make; null (default) takes the feed-forward output
    /// layers <c>mlp.c_proj</c> and <c>down_proj</c> where they are targets.
    /// </summary>
    public ModuleTargets? FeedforwardModules { get; init; }

    /// <summary>True (default): l is all ones, so the model starts as the base. False: l is normal random.</summary>
    public bool InitIa3Weights { get; init; } = true;

    internal override bool HasLayerFields => false;

    internal override IReadOnlyList<(string Field, ModuleTargets Modules)> ModuleSubsets =>
        FeedforwardModules is null ? [] : [("feedforward_modules", FeedforwardModules)];

    /// <summary>Reads HF PEFT's fields.</summary>
    /// <param name="fields">The file.</param>
    /// <returns>The configuration.</returns>
    /// <exception cref="ConfigException">A field is wrong or not supported; the message names it.</exception>
    public static Ia3Config FromFields(ConfigFields fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        var config = new Ia3Config
        {
            FeedforwardModules = ModuleTargets.FromJson(fields.Json("feedforward_modules"), "feedforward_modules"),
            InitIa3Weights = fields.Flag("init_ia3_weights", true),
        };
        return WithTargets(config, fields);
    }

    /// <inheritdoc/>
    protected override void WriteFields(IDictionary<string, JsonNode?> fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        base.WriteFields(fields);
        fields["feedforward_modules"] = FeedforwardModules?.ToJson();
        fields["init_ia3_weights"] = InitIa3Weights;
    }
}
