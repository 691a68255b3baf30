using System.CommandLine;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Modules;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Files;

namespace OrtPeft.Cli.Options;

/// <summary>The adapter that LoftQ makes beside a quantised base.</summary>
internal sealed class LoftqOptions : IOptionGroup
{
    private static readonly LoraConfig Defaults = new();

    private readonly Option<bool> _loftq = new("--loftq")
    {
        Description = "Also make a LoRA adapter that makes up for the quantization error (LoftQ), in the folder "
            + $"{FolderFiles.LoftqFolder} of --out, for train --init-adapter.",
    };

    private readonly Option<int?> _iterations = NumberOption.Optional<int>(
        "--loftq-iterations", "Number of alternating LoftQ iterations. [default: 1]", "N");

    private readonly Option<int?> _rank = NumberOption.Optional<int>(
        "--rank", $"The adapter's rank r. [default: {Defaults.R}]", "R");

    private readonly Option<double?> _alpha = NumberOption.Optional<double>(
        "--alpha",
        "Scaling numerator: the update is scaled by alpha / rank. [default: 2 × rank if --rank is given, otherwise 8]",
        "A");

    private readonly Option<bool> _rslora = new("--rslora")
    {
        Description = "Scale by alpha / √rank instead (rsLoRA).",
    };

    public IEnumerable<Option> Options => [_loftq, _iterations, _rank, _alpha, _rslora];

    /// <summary>The adapter to make; null for none.</summary>
    /// <exception cref="UsageException">An option of the adapter is given without --loftq.</exception>
    public (LoraConfig Config, int Iterations)? Read(Invocation run, ModuleTargets? targets)
    {
        if (!run.Get(_loftq))
        {
            var stray = Options.FirstOrDefault(run.Has);
            return stray is null
                ? null
                : throw new UsageException(
                    $"{stray.Name} is about LoftQ's adapter; give --loftq too, or leave it out.");
        }

        var iterations = run.Get(_iterations) ?? 1;
        if (iterations < 1)
            throw new UsageException($"{_iterations.Name} is '{iterations}'; it must be 1 or more.");
        var rank = run.Get(_rank);
        var config = new LoraConfig
        {
            R = rank ?? Defaults.R,
            LoraAlpha = run.Get(_alpha) ?? (rank is { } r ? 2 * r : Defaults.LoraAlpha),
            UseRslora = run.Get(_rslora),
            TargetModules = targets,
        };
        return (config, iterations);
    }
}
