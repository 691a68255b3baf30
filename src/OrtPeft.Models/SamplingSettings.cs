using OrtPeft.Models.Configuration;

namespace OrtPeft.Models;

/// <summary>
/// How a model's <c>generation_config.json</c> would have tokens chosen, by the names that transformers gives them.
/// What the file does not say is null here; transformers' own top-k of 50 is not filled in.
/// </summary>
/// <seealso href="https://huggingface.co/docs/transformers/main_classes/text_generation"/>
public sealed record SamplingSettings
{
    /// <summary>Fields that change tokens in transformers where they are set, and are not followed here.</summary>
    private static readonly string[] Others =
    [
        "penalty_alpha", "no_repeat_ngram_size", "epsilon_cutoff", "eta_cutoff", "top_h", "min_length",
        "min_new_tokens", "bad_words_ids", "sequence_bias", "suppress_tokens", "begin_suppress_tokens",
        "forced_bos_token_id", "forced_eos_token_id", "exponential_decay_length_penalty", "stop_strings",
        "watermarking_config",
    ];

    /// <summary>The same, where it is not 1.</summary>
    private static readonly string[] OthersThanOne =
    [
        "num_beams", "num_beam_groups", "encoder_repetition_penalty", "guidance_scale",
    ];

    /// <summary>Whether tokens are drawn; false, which is greedy, where there is no file.</summary>
    public bool DoSample { get; init; }

    /// <summary>The number that logits are divided by.</summary>
    public double? Temperature { get; init; }

    /// <summary>The number of likeliest tokens to draw from; 0 means no limit.</summary>
    public int? TopK { get; init; }

    /// <summary>The probability that the likeliest tokens to draw from reach, 0..1.</summary>
    public double? TopP { get; init; }

    /// <summary>The part of the likeliest token's probability that others need, 0..1.</summary>
    public double? MinP { get; init; }

    /// <summary>The probability that the most typical tokens reach, above 0 to 1.</summary>
    public double? TypicalP { get; init; }

    /// <summary>A factor that makes tokens that have already occurred less likely, also in greedy decoding.</summary>
    public double? RepetitionPenalty { get; init; }

    /// <summary>Fields of the file, separated by commas, that would change tokens in transformers and are not
    /// followed; empty for none.</summary>
    public string Unfollowed { get; init; } = "";

    /// <summary>Reads the file of a folder; greedy without limits where there is none.</summary>
    /// <exception cref="ModelConfigException">The file is damaged.</exception>
    internal static SamplingSettings In(string folder)
    {
        var path = Path.Combine(folder, ModelFamilies.GenerationConfigFileName);
        if (!File.Exists(path))
            return new SamplingSettings();
        var fields = ModelFields.Open(path, isToBuild: false);
        return new SamplingSettings
        {
            DoSample = fields.Flag("do_sample", false),
            Temperature = fields.OptionalNumber("temperature"),
            TopK = fields.OptionalWhole("top_k"),
            TopP = fields.OptionalNumber("top_p"),
            MinP = fields.OptionalNumber("min_p"),
            TypicalP = fields.OptionalNumber("typical_p"),
            RepetitionPenalty = fields.OptionalNumber("repetition_penalty"),
            Unfollowed = string.Join(", ", Unread(fields)),
        };
    }

    private static IEnumerable<string> Unread(ModelFields fields) =>
        Others.Where(fields.IsOn).Concat(OthersThanOne.Where(name => fields.OptionalNumber(name) is not (null or 1)));
}
