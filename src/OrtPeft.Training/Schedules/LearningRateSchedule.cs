using System.Collections.Frozen;
using System.Collections.Immutable;
using OrtPeft.Tensors;

namespace OrtPeft.Training.Schedules;

/// <summary>
/// The factor on the learning rate at each step, as Hugging Face transformers defines it. With W warm-up steps of N,
/// step i (from 0) has i/W while i &lt; W, so the first step of a warm-up does not move; then the schedule's own.
/// Immutable.
/// </summary>
/// <seealso href="https://huggingface.co/docs/transformers/main_classes/optimizer_schedules"/>
internal sealed class LearningRateSchedule
{
    private const double HalfACycle = 0.5;

    /// <summary>Each schedule reads its settings and gives its shape.</summary>
    private static readonly FrozenDictionary<string, Func<ScheduleSpan, Shape>> Table =
        new Dictionary<string, Func<ScheduleSpan, Shape>>
        {
            ["constant"] = static _ => new(static _ => 1),
            ["constant_with_warmup"] = static _ => new(static _ => 1),
            ["linear"] = static span => new(step =>
                Math.Max(0, span.Total - (double)step) / Math.Max(1, span.Total - (double)span.Warmup)),
            ["cosine"] = static span => Cosine(span, least: 0),
            ["cosine_with_min_lr"] = static span => Cosine(span, span.Settings.Number("min_lr_rate", null, 0, 1)),
            ["cosine_with_restarts"] = static span => Restarts(span, span.Settings.Steps("num_cycles", 1, least: 1)),
            ["inverse_sqrt"] = static span =>
                InverseRoot(span, span.Settings.Steps("timescale", span.Warmup == 0 ? 10_000 : span.Warmup, least: 1)),
            ["polynomial"] = static span =>
                Polynomial(span, span.Settings.Number("lr_end", 1e-7), span.Settings.Number("power", 1)),
            ["warmup_stable_decay"] = static span => StableThenDecay(
                span,
                span.Settings.Steps("num_decay_steps", null, least: 1),
                span.Settings.Word("decay_type", "cosine", "linear", "1-sqrt"),
                span.Settings.Number("min_lr_ratio", 0, 0, 1)),
        }.ToFrozenDictionary();

    private readonly Shape _shape;
    private readonly int _warmupSteps;

    private LearningRateSchedule(Shape shape, int warmupSteps) => (_shape, _warmupSteps) = (shape, warmupSteps);

    /// <summary>The names <see cref="Create"/> knows, sorted.</summary>
    public static ImmutableArray<string> Names { get; } = [.. Table.Keys.Order(StringComparer.Ordinal)];

    /// <summary>Looks a schedule up and fixes its span.</summary>
    /// <param name="name">
    /// With p = (i − W)/(N − W), the share of the steps after the warm-up that are behind: <c>constant</c> and
    /// <c>constant_with_warmup</c> (1), <c>linear</c> (1 − p), <c>cosine</c> (½(1 + cos 2πcp), <c>num_cycles</c> c = ½),
    /// <c>cosine_with_min_lr</c> (the same from 1 down to <c>min_lr_rate</c>), <c>cosine_with_restarts</c>
    /// (½(1 + cos π(cp mod 1)), <c>num_cycles</c> c = 1), <c>inverse_sqrt</c> (√(t/(i + t − W)), <c>timescale</c> t = W or
    /// 10,000), <c>polynomial</c> ((1 − p)ᵉ from the rate to <c>lr_end</c> = 1e-7, <c>power</c> e = 1), or
    /// <c>warmup_stable_decay</c> (1 until the last <c>num_decay_steps</c>, then by <c>decay_type</c> cosine, linear or
    /// 1-sqrt to <c>min_lr_ratio</c> = 0, from which its warm-up rises too).
    /// </param>
    /// <param name="warmupSteps">W, 0 or more; above N the run ends before the warm-up does.</param>
    /// <param name="totalSteps">N, the optimiser steps of the run, at least 1.</param>
    /// <param name="rate">The peak rate. Default 1.</param>
    /// <param name="settings">The schedule's own settings; null (the default) for none.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentException">No schedule has that name, or it has no such setting; the message lists those
    /// there are.</exception>
    /// <exception cref="ArgumentOutOfRangeException">W is negative or N below 1.</exception>
    public static LearningRateSchedule Create(
        string name,
        int warmupSteps,
        int totalSteps,
        double rate = 1,
        IReadOnlyDictionary<string, string>? settings = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentOutOfRangeException.ThrowIfNegative(warmupSteps);
        ArgumentOutOfRangeException.ThrowIfLessThan(totalSteps, 1);
        if (!Table.TryGetValue(name, out var form))
        {
            throw new SettingException(
                $"No schedule is called '{name}'; expected one of {string.Join(", ", Names)}.");
        }

        var own = new ScheduleSettings(name, settings ?? FrozenDictionary<string, string>.Empty);
        var shape = form(new ScheduleSpan(warmupSteps, totalSteps, rate, own));
        own.RefuseOthers();
        return new LearningRateSchedule(shape, warmupSteps);
    }

    /// <summary>The factor on the learning rate, in 0..1.</summary>
    /// <param name="step">The step, from 0; from N on the value at N stays, but of <c>inverse_sqrt</c>.</param>
    /// <returns>The factor.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The step is negative.</exception>
    public double Factor(int step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        return step < _warmupSteps
            ? _shape.First + ((1 - _shape.First) * step / _warmupSteps)
            : _shape.AfterWarmup(step);
    }

    private static Shape Cosine(ScheduleSpan span, double least)
    {
        var cycles = span.Settings.Number("num_cycles", HalfACycle);
        return new(step => least + ((1 - least) * Wave(cycles * Math.Min(1, span.Progress(step)))));
    }

    private static Shape Restarts(ScheduleSpan span, int cycles) => new(step =>
        span.Progress(step) is < 1 and var progress ? Wave(cycles * progress % 1 * HalfACycle) : 0);

    private static Shape InverseRoot(ScheduleSpan span, int timescale) =>
        new(step => Math.Sqrt(timescale / (step - (double)span.Warmup + timescale)));

    private static Shape Polynomial(ScheduleSpan span, double end, double power)
    {
        if (end >= span.Rate)
            throw new SettingException(FormattableString.Invariant(
                $"The schedule's lr_end is {end} and the learning rate {span.Rate}; it must be below that."));
        var least = end / span.Rate;
        return new(step => least + ((1 - least) * Math.Pow(Math.Max(0, 1 - span.Progress(step)), power)));
    }

    private static Shape StableThenDecay(ScheduleSpan span, int decaySteps, string form, double least)
    {
        if (decaySteps + (long)span.Warmup > span.Total)
            throw new SettingException(
                $"The schedule's num_decay_steps is {decaySteps}, which with {span.Warmup} steps of warm-up is more than "
                + $"the run's {span.Total}; take fewer.");
        var cycles = span.Settings.Number("num_cycles", HalfACycle);
        return new(After, First: least);

        double After(int step)
        {
            var progress = Math.Clamp((step - (span.Total - (double)decaySteps)) / decaySteps, 0, 1);
            var factor = form switch
            {
                _ when progress == 1 => 0,
                "linear" => 1 - progress,
                "cosine" => Wave(cycles * progress),
                _ => 1 - Math.Sqrt(progress),
            };
            return least + ((1 - least) * factor);
        }
    }

    /// <summary>1 at whole numbers, 0 halfway between.</summary>
    private static double Wave(double cycles) => 0.5 * (1 + Math.Cos(2 * Math.PI * cycles));

    /// <summary>A schedule with its settings.</summary>
    /// <param name="AfterWarmup">The factor at a step from W on.</param>
    /// <param name="First">The factor from which the warm-up rises to 1.</param>
    private sealed record Shape(Func<int, double> AfterWarmup, double First = 0);
}
