using System.CommandLine;

namespace OrtPeft.Cli.Config;

/// <summary>The keys of a run's file: the names of a verb's options, and of its argument.</summary>
internal static class RunKeys
{
    /// <summary>Options that say how the command behaves rather than what a run is.</summary>
    private static readonly HashSet<string> Others = new(StringComparer.Ordinal)
    {
        "--json", "--verbose", "--overwrite", "--resume", "--dry-run",
        RunFile.Option, StartingFile.Option, RunSchema.Option,
    };

    /// <summary>The options that are keys.</summary>
    public static IEnumerable<Option> Of(Command verb) => verb.Options.Where(static o => !Others.Contains(o.Name));

    /// <summary>An option's key.</summary>
    public static string KeyOf(Option option) => option.Name[2..];

    /// <summary>The value of an option, or its effect where it takes none.</summary>
    public static bool IsFlag(Option option) => option.ValueType == typeof(bool);

    /// <summary>Whether an option takes several values.</summary>
    public static bool IsList(Option option) => option.Arity.MaximumNumberOfValues > 1;
}
