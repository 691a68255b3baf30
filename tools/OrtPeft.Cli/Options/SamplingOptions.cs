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

    private readonly Option<long> _seed = NumberOption.Of("--seed", "Fixes the random numbers.", "N", Defaults.Seed);

    public IEnumerable<Option> Options => [_maxNewTokens, _temperature, _topK, _topP, _seed];

    public GenerationOptions Read(Invocation run) => Defaults with
    {
        MaxNewTokens = run.Get(_maxNewTokens),
        Temperature = run.Get(_temperature),
        TopK = run.Get(_topK),
        TopP = run.Get(_topP),
        Seed = run.Get(_seed),
    };
}
