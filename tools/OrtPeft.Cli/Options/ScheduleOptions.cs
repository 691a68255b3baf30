using System.CommandLine;
using OrtPeft.Artifacts;
using OrtPeft.Training;
using OrtPeft.Training.Schedules;

namespace OrtPeft.Cli.Options;

/// <summary>How the learning rate changes over a run.</summary>
internal sealed class ScheduleOptions : IOptionGroup
{
    private const string Constant = "constant";

    private static readonly TrainingArguments Defaults = new();

    private readonly Option<string> _schedule = new("--schedule")
    {
        Description = "Learning-rate schedule after warm-up; with schedule_free_adamw it is constant",
        HelpName = string.Join('|', LearningRateSchedule.Names),
        DefaultValueFactory = static _ => Defaults.Schedule,
    };

    private readonly Option<string[]> _settings = new("--schedule-settings")
    {
        Description = "The schedule's own settings, by transformers' names, such as num_cycles=3 or num_decay_steps=100.",
        HelpName = "NAME=VALUE,...",
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly Option<int> _warmup = NumberOption.Of(
        "--warmup-steps", "Steps over which the learning rate rises from 0.", "N", Defaults.WarmupSteps);

    public ScheduleOptions()
    {
        _settings.Validators.Add(result =>
        {
            var pairs = result.Tokens.SelectMany(static t => t.Value.Split(',')).ToArray();
            if (pairs.FirstOrDefault(static p => p.Split('=') is not [{ Length: > 0 }, { Length: > 0 }]) is { } wrong)
                result.AddError($"{_settings.Name} has '{wrong}'; it must be NAME=VALUE.");
            else if (pairs.CountBy(static p => p.Split('=')[0]).FirstOrDefault(static c => c.Value > 1).Key is { } twice)
                result.AddError($"{_settings.Name} has {twice} twice; give it once.");
        });
    }

    public IEnumerable<Option> Options => [_schedule, _settings, _warmup];

    /// <summary>Sets a run's schedule, checked as far as can be before its steps are known.</summary>
    /// <exception cref="ArgumentException">The schedule does not have a setting, or not in this range.</exception>
    public TrainingArguments ApplyTo(TrainingArguments arguments, Invocation run)
    {
        var settings = (run.Get(_settings) ?? []).SelectMany(static s => s.Split(',')).Select(static s => s.Split('='))
            .ToDictionary(static pair => pair[0], static pair => pair[1], StringComparer.Ordinal);
        var changed = arguments with
        {
            Schedule = !run.Has(_schedule) && arguments.Optimizer is ScheduleFreeAdamWConfig ? Constant : run.Get(_schedule),
            ScheduleSettings = settings,
            WarmupSteps = run.Get(_warmup),
        };
        _ = LearningRateSchedule.Create(
            changed.Schedule,
            Math.Max(0, changed.WarmupSteps),
            Math.Max(1, changed.MaxSteps ?? int.MaxValue),
            changed.LearningRate,
            settings);
        return changed;
    }
}
