using System.Globalization;
using OrtPeft.Tensors;

namespace OrtPeft.Training.Schedules;

/// <summary>A schedule's own settings, under transformers' names; each is asked for once, so that one that nobody knows
/// is found.</summary>
internal sealed class ScheduleSettings(string schedule, IReadOnlyDictionary<string, string> given)
{
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    /// <summary>A number, or its default.</summary>
    /// <exception cref="ArgumentException">It is not a number in its range, or has no default and is missing.</exception>
    public double Number(string name, double? byDefault, double least = 0, double most = double.MaxValue)
    {
        _known.Add(name);
        if (!given.TryGetValue(name, out var text))
        {
            return byDefault ?? throw new SettingException(
                $"The schedule {schedule} needs {name}; give it in ScheduleSettings, as {name}=VALUE.");
        }

        if (!double.TryParse(text, CultureInfo.InvariantCulture, out var number) || !(number >= least && number <= most))
        {
            var range = most == double.MaxValue ? $"of at least {Plain(least)}" : $"from {Plain(least)} to {Plain(most)}";
            throw new SettingException($"The schedule's {name} is '{text}'; it must be a number {range}.");
        }

        return number;
    }

    /// <summary>A number of steps.</summary>
    /// <exception cref="ArgumentException">It is not a whole number, or has no default and is missing.</exception>
    public int Steps(string name, int? byDefault, int least = 0) => Number(name, byDefault, least, int.MaxValue) is var steps
        && steps == Math.Floor(steps)
            ? (int)steps
            : throw new SettingException($"The schedule's {name} is '{given[name]}'; it must be a whole number.");

    /// <summary>One of a few words, the first by default.</summary>
    /// <exception cref="ArgumentException">It is another.</exception>
    public string Word(string name, params string[] words)
    {
        _known.Add(name);
        var word = given.GetValueOrDefault(name) ?? words[0];
        return words.Contains(word)
            ? word
            : throw new SettingException($"The schedule's {name} is '{word}'; it must be one of {string.Join(", ", words)}.");
    }

    /// <summary>Refuses a setting that was not asked for.</summary>
    /// <exception cref="ArgumentException">There is one.</exception>
    public void RefuseOthers()
    {
        if (given.Keys.Order(StringComparer.Ordinal).FirstOrDefault(name => !_known.Contains(name)) is not { } other)
            return;
        var known = _known.Count == 0 ? "it has none" : $"it has {string.Join(", ", _known.Order(StringComparer.Ordinal))}";
        throw new SettingException($"The schedule {schedule} has no setting {other}; {known}.");
    }

    private static string Plain(double number) => number.ToString(CultureInfo.InvariantCulture);
}
