using System.Text.Json.Nodes;
using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.PromptLearning;

namespace OrtPeft.Adapters.PTuning;

/// <summary>
/// P-tuning: a prompt whose embeddings a small network makes of trained ones, either an MLP or a bidirectional LSTM
/// with one. The network trains with them; files hold what it makes.
/// </summary>
/// <seealso href="https://arxiv.org/abs/2103.10385">Liu et al., GPT Understands, Too, section 3.</seealso>
/// <seealso href="https://huggingface.co/docs/peft/package_reference/p_tuning">HF PEFT's
/// PromptEncoderConfig.</seealso>
public sealed record PTuningConfig : PromptLearningConfig
{
    /// <inheritdoc/>
    public override string PeftType => "P_TUNING";

    /// <summary>The network: <c>MLP</c> (default) or <c>LSTM</c>.</summary>
    public string EncoderReparameterizationType { get; init; } = "MLP";

    /// <summary>The width of the network's inner layers, at least 1; null (default) takes the embeddings'.</summary>
    public int? EncoderHiddenSize { get; init; }

    /// <summary>The number of LSTM layers, at least 1; an MLP has three layers whatever it says. Default 2.</summary>
    public int EncoderNumLayers { get; init; } = 2;

    /// <summary>The probability, 0 to below 1, that what an LSTM layer hands on is dropped. Default 0.</summary>
    public double EncoderDropout { get; init; }

    /// <summary>Reads HF PEFT's fields.</summary>
    /// <param name="fields">The file.</param>
    /// <returns>The configuration, checked.</returns>
    /// <exception cref="ConfigException">A field is wrong or not supported; the message names it.</exception>
    public static PTuningConfig FromFields(ConfigFields fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        return WithPrompt(
            new PTuningConfig
            {
                EncoderReparameterizationType = fields.Text("encoder_reparameterization_type", "MLP")!,
                EncoderHiddenSize = Optional(fields, "encoder_hidden_size"),
                EncoderNumLayers = fields.Integer("encoder_num_layers", 2),
                EncoderDropout = fields.Number("encoder_dropout", 0),
            },
            fields);
    }

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        PTuningEncoders.Check(EncoderReparameterizationType);
        FieldRange.AtLeastOne("encoder_hidden_size", EncoderHiddenSize);
        FieldRange.AtLeastOne("encoder_num_layers", EncoderNumLayers);
        FieldRange.Dropout("encoder_dropout", EncoderDropout);
    }

    /// <inheritdoc/>
    protected override void WriteFields(IDictionary<string, JsonNode?> fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        base.WriteFields(fields);
        fields["encoder_reparameterization_type"] = EncoderReparameterizationType;
        fields["encoder_hidden_size"] = EncoderHiddenSize;
        fields["encoder_num_layers"] = EncoderNumLayers;
        fields["encoder_dropout"] = EncoderDropout;
    }
}
