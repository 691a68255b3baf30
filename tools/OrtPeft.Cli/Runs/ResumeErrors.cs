using System.CommandLine;
using OrtPeft.Adapters;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Words;
using OrtPeft.Tensors;

namespace OrtPeft.Cli.Runs;

/// <summary>Says of a run that cannot be resumed which option is another than before.</summary>
internal static class ResumeErrors
{
    /// <summary>The error in the words of the command line: by the option that was typed, where one was, since others may
    /// follow from it.</summary>
    /// <param name="run">What was given.</param>
    /// <param name="error">What differs.</param>
    /// <param name="folder">The run's folder, as it was given.</param>
    public static UsageException? Of(Invocation run, SettingException error, string folder)
    {
        var options = run.Parsed.CommandResult.Command.Options;
        var named = error.Differences
            .Select(difference => (Difference: difference, Option: OptionOf(difference.Name, options)))
            .Where(static d => d.Option is not null).ToArray();
        if (named.Length == 0)
            return null;
        var (changed, option) = named.FirstOrDefault(d => run.Has(d.Option!), named[0]);
        var others = string.Join(", ", error.Differences.Where(d => d != changed).Select(static d => d.Name));
        var other = others.Length > 0 ? $" ({others} too)" : "";
        var advice = changed.Name == "steps"
            ? "a resumed run has as many steps or more"
            : $"give what the run began with, or begin another one from its adapter: --init-adapter {folder}";
        return new UsageException(
            $"{option!.Name} is another than in the run in {folder}: {changed.Before ?? "nothing"} then, {changed.Now} "
            + $"now{other}; {advice}.",
            error);
    }

    private static Option? OptionOf(string setting, IEnumerable<Option> options)
    {
        var name = setting switch
        {
            "shuffle" => "--no-shuffle",
            "base-dropout" => "--no-base-dropout",
            "pack-length" => "--packing",
            _ => PeftMethods.Options.FirstOrDefault(row => row.Field == setting)?.Name ?? HfNames.Dashed(setting.ToLowerInvariant()),
        };
        return options.FirstOrDefault(option => option.Name == name);
    }
}
