using System.CommandLine;
using OrtPeft.Inference.Generation;

namespace OrtPeft.Cli.Options;

/// <summary>How tokens are chosen; defaults are <see cref="GenerationOptions"/>'s.</summary>
internal sealed class SamplingOptions : IOptionGroup
{
    private static readonly GenerationOptions Defaults = new();

    private readonly Option<int> _maxNewTokens = NumberOption.Of(
        "--max-new-tokens", "The most tokens to generate.", "N", Defaults.MaxNewTokens);

    private readonly Option<double?> _temperature = NumberOption.Optional<double>(
        "--temperature", "Sample; below 1 sharpens, above 1 flattens, 0 is greedy. [default: greedy]", "T");

    private readonly Option<int?> _topK = NumberOption.Optional<int>(
        "--top-k", "Sample among the K likeliest tokens; 0 is no limit.", "K");

    private readonly Option<double?> _topP = NumberOption.Optional<double>(
        "--top-p", "Sample among the fewest likeliest tokens that reach this probability, 0 to 1.", "P");

    private readonly Option<double?> _minP = NumberOption.Optional<double>(
        "--min-p", "Sample among tokens at least so likely as this part of the likeliest, 0 to 1.", "P");

    private readonly Option<double?> _typicalP = NumberOption.Optional<double>(
        "--typical-p", "Sample among the most typical tokens that reach this probability, to 1.", "P");

    private readonly Option<double> _repetitionPenalty = NumberOption.Of(
        "--repetition-penalty", "Above 1 makes tokens that are there already less likely.", "X", Defaults.RepetitionPenalty);

    private readonly Option<double> _presencePenalty = NumberOption.Of(
        "--presence-penalty", "What is taken from the logit of tokens that the answer has.", "X", Defaults.PresencePenalty);

    private readonly Option<long> _seed = NumberOption.Of("--seed", "Fixes the random numbers.", "N", Defaults.Seed);

    public IEnumerable<Option> Options =>
    [
        _maxNewTokens, _temperature, _topK, _topP, _minP, _typicalP, _repetitionPenalty, _presencePenalty, _seed,
    ];

    public GenerationOptions Read(Invocation run) => Defaults with
    {
        MaxNewTokens = run.Get(_maxNewTokens),
        Temperature = run.Get(_temperature),
        TopK = run.Get(_topK),
        TopP = run.Get(_topP),
        MinP = run.Get(_minP),
        TypicalP = run.Get(_typicalP),
        RepetitionPenalty = run.Get(_repetitionPenalty),
        PresencePenalty = run.Get(_presencePenalty),
        Seed = run.Get(_seed),
    };
}
