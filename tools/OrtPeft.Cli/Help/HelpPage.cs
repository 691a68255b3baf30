using System.CommandLine;
using System.CommandLine.Invocation;
using System.Globalization;
using OrtPeft.Cli.Commands;
using OrtPeft.Cli.Words;

namespace OrtPeft.Cli.Help;

/// <summary>The help of the whole command, or of a verb: its options in groups, its examples below.</summary>
/// <param name="width">Characters in a line.</param>
/// <param name="isWhole">Whether rare options are shown too.</param>
internal sealed class HelpPage(int width, bool isWhole) : SynchronousCommandLineAction
{
    /// <summary>The option that shows everything.</summary>
    public const string WholeName = "--help-all";

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        var command = parseResult.CommandResult.Command;
        var page = new HelpText(width);
        page.Paragraph(command.Description!);
        page.Line();
        page.Paragraph($"Usage: {Usage(command, parseResult.RootCommandResult.Command)}");
        Section(page, "Arguments", command.Arguments.Select(static a => ($"<{a.Name}>", a.Description!)));
        Section(page, "Commands", command.Subcommands.Select(static c => (WithArguments(c), c.Description!)));
        var options = Recursive(parseResult.RootCommandResult.Command).Union(command.Options).ToList();
        Groups(page, options);
        if (command is Verb verb)
            End(page, verb, options);
        else
            page.Line("\nHelp for a command: ortpeft <command> --help, or ortpeft help <command>.");
        parseResult.InvocationConfiguration.Output.Write(page.ToString());
        return 0;
    }

    private static IEnumerable<Option> Recursive(Command root) => root.Options.Where(static o => o.Recursive);

    private static string Usage(Command command, Command root)
    {
        if (command == root)
            return $"{root.Name} <command> [options]";
        var required = command.Options.Where(static o => o.Required).Select(Term);
        return string.Join(' ', [root.Name, WithArguments(command), .. required, "[options]"]);
    }

    private static string WithArguments(Command command) =>
        string.Join(' ', command.Arguments.Select(static a => $"<{a.Name}>").Prepend(command.Name));

    private void Groups(HelpText page, List<Option> options)
    {
        var named = HelpGroup.All.SelectMany(static g => g.Essential.Concat(g.Rare)).ToHashSet(StringComparer.Ordinal);
        Section(page, "Options", options.Where(o => !named.Contains(o.Name)).Select(Row));
        foreach (var group in HelpGroup.All)
        {
            var shown = group.Essential.Concat(group.Rare)
                .Select(name => options.Find(o => o.Name == name))
                .OfType<Option>()
                .Where(o => isWhole || !IsRare(o));
            Section(page, group.Title, shown.Select(Row));
        }
    }

    private void End(HelpText page, Verb verb, List<Option> options)
    {
        var rare = options.Count(IsRare);
        if (!isWhole && rare > 0)
            page.Line(string.Create(CultureInfo.InvariantCulture, $"\n{rare} more: ortpeft {verb.Name} {WholeName}"));
        page.Line("\nExamples:");
        foreach (var example in verb.Examples)
            page.CommandLine(example);
        if (verb.Notes.Length > 0)
            page.Line();
        foreach (var note in verb.Notes.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            page.Paragraph(note);
    }

    private static bool IsRare(Option option) => !option.Required
        && HelpGroup.All.Any(g => g.Rare.Contains(option.Name));

    private static void Section(HelpText page, string title, IEnumerable<(string Term, string Meaning)> rows)
    {
        (string Term, string Meaning)[] all = [.. rows];
        if (all.Length == 0)
            return;
        page.Line($"\n{title}:");
        page.Table(all);
    }

    private (string Term, string Meaning) Row(Option option)
    {
        var meaning = HasManyValues(option)
            ? $"{option.Description!.TrimEnd('.')}: {option.HelpName!.Replace("|", ", ", StringComparison.Ordinal)}."
            : option.Description!;
        if (option.Required)
            meaning += " [required]";
        else if (option.HasDefaultValue && option.ValueType != typeof(bool))
            meaning += string.Create(CultureInfo.InvariantCulture, $" [default: {option.GetDefaultValue()}]");
        var others = HfNames.Of(option.Name);
        return (Term(option), isWhole && others.Count > 0 ? $"{meaning} Also: {string.Join(", ", others)}." : meaning);
    }

    private static string Term(Option option)
    {
        var names = option.Aliases.Where(static a => a.Length == 2 && a != "-?").Append(option.Name);
        var kind = HasManyValues(option) ? "NAME" : option.HelpName;
        return string.Join(", ", names) + (option.ValueType == typeof(bool) || kind is null ? "" : $" <{kind}>");
    }

    /// <summary>Whether an option's values are too many for its term, so that its description lists them.</summary>
    private static bool HasManyValues(Option option) =>
        option.HelpName is { Length: > 40 } values && values.Contains('|', StringComparison.Ordinal);
}
