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
        Description = "Make a LoRA adapter too that starts from what quantisation loses (LoftQ), in the folder "
            + $"{FolderFiles.LoftqFolder} inside --out; for train --init-adapter.",
    };

    private readonly Option<int?> _iterations = NumberOption.Optional<int>(
        "--loftq-iterations", "How often LoftQ turns between base and adapter. [default: 1]", "N");

    private readonly Option<int?> _rank = NumberOption.Optional<int>(
        "--rank", $"The adapter's rank r. [default: {Defaults.R}]", "R");

    private readonly Option<double?> _alpha = NumberOption.Optional<double>(
        "--alpha", "The adapter scales by alpha / rank. [default: 2 · rank where --rank is given, else 8]", "A");

    private readonly Option<bool> _rslora = new("--rslora") { Description = "Scale by alpha / √rank instead." };

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
