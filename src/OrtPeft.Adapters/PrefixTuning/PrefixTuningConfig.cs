using System.Text.Json.Nodes;
using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.PromptLearning;

namespace OrtPeft.Adapters.PrefixTuning;

/// <summary>
/// Prefix tuning: every layer attends to P more keys and values, softmax(s·q·[K_p; K]ᵀ)·[V_p; V], and only those train,
/// directly or through an MLP that makes them.
/// </summary>
/// <seealso href="https://arxiv.org/abs/2101.00190">Li and Liang, section 4.</seealso>
/// <seealso href="https://huggingface.co/docs/peft/package_reference/prefix_tuning">HF PEFT's
/// PrefixTuningConfig.</seealso>
public sealed record PrefixTuningConfig : PromptLearningConfig
{
    /// <inheritdoc/>
    public override string PeftType => "PREFIX_TUNING";

    /// <summary>
    /// Whether an MLP makes the keys and values while training: embedding, linear, tanh, linear. Files hold what it
    /// makes. Default false.
    /// </summary>
    public bool PrefixProjection { get; init; }

    /// <summary>The MLP's inner width, at least 1; null (default) takes <c>token_dim</c>.</summary>
    public int? EncoderHiddenSize { get; init; }

    /// <summary>
    /// <c>zero</c> starts with keys and values of 0, through the MLP's last layer where there is one; null (default)
    /// with random ones.
    /// </summary>
    public string? InitWeights { get; init; }

    /// <summary>Reads HF PEFT's fields.</summary>
    /// <param name="fields">The file.</param>
    /// <returns>The configuration, checked.</returns>
    /// <exception cref="ConfigException">A field is wrong or not supported; the message names it.</exception>
    public static PrefixTuningConfig FromFields(ConfigFields fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        return WithPrompt(
            new PrefixTuningConfig
            {
                PrefixProjection = fields.Flag("prefix_projection", false),
                EncoderHiddenSize = Optional(fields, "encoder_hidden_size"),
                InitWeights = fields.Text("init_weights"),
            },
            fields);
    }

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        FieldRange.AtLeastOne("encoder_hidden_size", EncoderHiddenSize);
        if (InitWeights is not (null or "zero"))
            throw new ConfigException($"init_weights is '{InitWeights}'; it must be zero, or left out.");
    }

    /// <inheritdoc/>
    protected override void WriteFields(IDictionary<string, JsonNode?> fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        base.WriteFields(fields);
        fields["prefix_projection"] = PrefixProjection;
        fields["encoder_hidden_size"] = EncoderHiddenSize;
        fields["init_weights"] = InitWeights;
    }
}
