using System.Globalization;
using OrtPeft.Tensors;

namespace OrtPeft.Inference.Generation;

/// <summary>
/// How tokens are chosen and when to stop; names as in HF transformers' <c>GenerationConfig</c>. Without temperature,
/// top-k, top-p, min-p and typical-p the likeliest token is taken (greedy); giving any of them turns sampling on, the
/// others then not limiting. Penalties count in either case.
/// </summary>
/// <seealso href="https://huggingface.co/docs/transformers/main_classes/text_generation"/>
public sealed record GenerationOptions
{
    /// <summary>The most tokens to generate beyond the prompt, 1 or more; default 50.</summary>
    public int MaxNewTokens { get; init; } = 50;

    /// <summary>
    /// The divisor of logits: below 1 sharpens, above 1 flattens. 0 means greedy whatever else is set; null (default)
    /// is 1 when sampling.
    /// </summary>
    public double? Temperature { get; init; }

    /// <summary>
    /// Samples among the K likeliest tokens and those tied with the K-th; 0 and null (default) mean no limit, where
    /// HF's
    /// own default is 50.
    /// </summary>
    public int? TopK { get; init; }

    /// <summary>
    /// Samples among the fewest likeliest tokens whose probabilities reach this sum, 0..1, at least one; 1 means no
    /// limit.
    /// The probabilities are those after temperature and top-k. Default null.
    /// </summary>
    /// <seealso href="https://arxiv.org/abs/1904.09751">Holtzman et al.: The curious case of neural text degeneration,
    /// equations 2 and 3.</seealso>
    public double? TopP { get; init; }

    /// <summary>
    /// Samples among tokens at least so likely as this part of the likeliest one, 0..1; 0 and null (default) mean no
    /// limit.
    /// The probabilities are those after temperature, top-k and top-p.
    /// </summary>
    /// <seealso href="https://arxiv.org/abs/2407.01082">Nguyen et al.: Turning up the heat, section 3.</seealso>
    public double? MinP { get; init; }

    /// <summary>
    /// Samples among the tokens whose surprise is nearest to the expected one, the fewest whose probabilities reach this
    /// sum, above 0 to 1; 1 and null (default) mean no limit. The probabilities are those after the other limits.
    /// </summary>
    /// <seealso href="https://arxiv.org/abs/2202.00666">Meister et al.: Locally typical sampling, equation 8.</seealso>
    public double? TypicalP { get; init; }

    /// <summary>
    /// The penalty on tokens of prompt and answer: a positive logit is divided by it, a negative one multiplied. Above
    /// 0; 1 (default) changes nothing, and below 1 they become likelier.
    /// </summary>
    /// <seealso href="https://arxiv.org/abs/1909.05858">Keskar et al.: CTRL, section 4.1.</seealso>
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>The amount subtracted from the logit of each token that the answer has already; 0 (default) changes
    /// nothing. As
    /// in OpenAI's API.</summary>
    public double PresencePenalty { get; init; }

    /// <summary>The amount subtracted from the logit of each token for every time that the answer has it already; 0 (default)
    /// changes nothing. As in OpenAI's API.</summary>
    public double FrequencyPenalty { get; init; }

    /// <summary>Selects the random numbers of sampling: the same seed repeats a run. Default 0.</summary>
    public long Seed { get; init; }

    /// <summary>The token that ends the text; null (default) never ends it early.</summary>
    public int? EosTokenId { get; init; }

    /// <summary>More tokens that end the text, as chat models have them; none by default.</summary>
    public IReadOnlyList<int> StopTokenIds { get; init; } = [];

    /// <summary>
    /// The number of tokens that exist: ids from here on, which only pad the model's vocabulary, are never chosen. Null
    /// (default) allows all of the model's.
    /// </summary>
    public int? VocabularySize { get; init; }

    /// <summary>
    /// The most tokens the model can attend to (GPT-2's <c>n_positions</c>), 1 or more. The token after the last that
    /// fits is still generated. Null (default) sets no limit.
    /// </summary>
    public int? ContextLength { get; init; }

    /// <summary>Whether the likeliest token is taken each time, without random numbers.</summary>
    public bool IsGreedy => Temperature == 0
        || (Temperature is null && TopK is null && TopP is null && MinP is null && TypicalP is null);

    /// <summary>Checks the ranges.</summary>
    /// <exception cref="ArgumentException">A member leaves its range; the message says which, its value and the
    /// range.</exception>
    public void Validate()
    {
        Require(MaxNewTokens >= 1, nameof(MaxNewTokens), MaxNewTokens, "1 or more");
        Require(Temperature is null or (>= 0 and <= double.MaxValue), nameof(Temperature), Temperature, "0 or more");
        Require(TopK is null or >= 0, nameof(TopK), TopK, "0 (no limit) or more");
        Require(TopP is null or (>= 0 and <= 1), nameof(TopP), TopP, "between 0 and 1");
        Require(MinP is null or (>= 0 and <= 1), nameof(MinP), MinP, "between 0 and 1");
        Require(TypicalP is null or (> 0 and <= 1), nameof(TypicalP), TypicalP, "above 0 and at most 1");
        Require(
            RepetitionPenalty is > 0 and <= double.MaxValue, nameof(RepetitionPenalty), RepetitionPenalty, "above 0");
        Require(double.IsFinite(PresencePenalty), nameof(PresencePenalty), PresencePenalty, "a finite number");
        Require(double.IsFinite(FrequencyPenalty), nameof(FrequencyPenalty), FrequencyPenalty, "a finite number");
        Require(EosTokenId is null or >= 0, nameof(EosTokenId), EosTokenId, "0 or more");
        Require(VocabularySize is null or >= 1, nameof(VocabularySize), VocabularySize, "1 or more");
        Require(ContextLength is null or >= 1, nameof(ContextLength), ContextLength, "1 or more");
    }

    private static void Require(bool holds, string name, IFormattable? value, string range)
    {
        if (!holds)
        {
            var text = value?.ToString(null, CultureInfo.InvariantCulture);
            throw new SettingException($"{name} is {text}; it must be {range}.");
        }
    }
}
