using System.Text.Json.Nodes;
using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.PromptLearning;

namespace OrtPeft.Adapters.PromptTuning;

/// <summary>Prompt tuning: the model reads [p₁ … p_P; embed(x)], and only the rows p of width E train.</summary>
/// <seealso href="https://arxiv.org/abs/2104.08691">Lester et al., section 2.</seealso>
/// <seealso href="https://huggingface.co/docs/peft/package_reference/prompt_tuning">HF PEFT's
/// PromptTuningConfig.</seealso>
public sealed record PromptTuningConfig : PromptLearningConfig
{
    private static readonly string[] Inits = ["RANDOM", "SAMPLE_VOCAB", "TEXT"];

    /// <inheritdoc/>
    public override string PeftType => "PROMPT_TUNING";

    /// <summary>
    /// The rows at first: <c>RANDOM</c> (default), normal with deviation 1; <c>SAMPLE_VOCAB</c>, embeddings of tokens
    /// drawn from the vocabulary; <c>TEXT</c>, the embeddings of <see cref="InitTokenIds"/>.
    /// </summary>
    public string PromptTuningInit { get; init; } = "RANDOM";

    /// <summary>The text of <c>TEXT</c>; null (default) otherwise.</summary>
    public string? PromptTuningInitText { get; init; }

    /// <summary>Whose tokenizer makes tokens of the text; HF PEFT wants it with <c>TEXT</c>. Null by default.</summary>
    public string? TokenizerNameOrPath { get; init; }

    /// <summary>
    /// The tokens of the text, at least one with <c>TEXT</c>; repeated or cut to the number of virtual tokens. Not part
    /// of the file: whoever has a tokenizer gives them.
    /// </summary>
    public IReadOnlyList<int>? InitTokenIds { get; init; }

    /// <summary>Reads HF PEFT's fields.</summary>
    /// <param name="fields">The file.</param>
    /// <returns>The configuration, checked.</returns>
    /// <exception cref="ConfigException">A field is wrong or not supported; the message names it.</exception>
    public static PromptTuningConfig FromFields(ConfigFields fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        return WithPrompt(
            new PromptTuningConfig
            {
                PromptTuningInit = fields.Text("prompt_tuning_init", "RANDOM")!,
                PromptTuningInitText = fields.Text("prompt_tuning_init_text"),
                TokenizerNameOrPath = fields.Text("tokenizer_name_or_path"),
            },
            fields);
    }

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        if (!Inits.Contains(PromptTuningInit))
            throw new ConfigException(
                $"prompt_tuning_init is '{PromptTuningInit}'; it must be one of {string.Join(", ", Inits)}.");
        if (PromptTuningInit == "TEXT" && string.IsNullOrEmpty(PromptTuningInitText) && InitTokenIds is null)
            throw new ConfigException(
                "prompt_tuning_init is TEXT, and prompt_tuning_init_text is missing; give the text.");
    }

    /// <inheritdoc/>
    protected override void WriteFields(IDictionary<string, JsonNode?> fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        base.WriteFields(fields);
        fields["prompt_tuning_init"] = PromptTuningInit;
        fields["prompt_tuning_init_text"] = PromptTuningInitText;
        fields["tokenizer_name_or_path"] = TokenizerNameOrPath;
    }
}
