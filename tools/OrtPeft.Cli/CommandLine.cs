using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using OrtPeft.Cli.Commands;
using OrtPeft.Cli.Config;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Help;
using OrtPeft.Cli.Runs;
using OrtPeft.Cli.Words;
using OrtPeft.Training.Distributed;

namespace OrtPeft.Cli;

/// <summary>The <c>ortpeft</c> command as a whole: parses, runs a verb, turns exceptions into exit codes.</summary>
internal static class CommandLine
{
    /// <summary>Runs a command line.</summary>
    /// <param name="args">The arguments, without the program's name.</param>
    /// <param name="host">What the run talks to.</param>
    /// <returns>0 done, 1 failed while running, 2 wrong usage or bad input, 130 interrupted.</returns>
    public static int Run(IReadOnlyList<string> args, Host host)
    {
        try
        {
            var parsed = Parse(args, host);
            return parsed.Invoke(new InvocationConfiguration
            {
                Output = host.Output,
                Error = host.Error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            });
        }
        catch (Exception e)
        {
            var isVerbose = args.Contains("--verbose");
            return Together.IsOne && e is not InterruptedException and not DistributedException { IsOfLibrary: true }
                ? Together.Fail(e, host, isVerbose)
                : ErrorReport.Write(e, host.Error, isVerbose);
        }
    }

    /// <summary>Reads a command line, the files that it names for options too, and runs nothing.</summary>
    /// <param name="args">The arguments, without the program's name.</param>
    /// <param name="host">What a run would talk to.</param>
    /// <exception cref="UsageException">It cannot be carried out.</exception>
    public static ParseResult Parse(IReadOnlyList<string> args, Host host)
    {
        var words = ResponseFile.Expand(args is ["help", ..] ? [.. args.Skip(1), "--help"] : args);
        var root = Root(host);
        var settings = new ParserConfiguration { ResponseFileTokenReplacer = null };
        var parsed = root.Parse(words, settings);
        if (parsed.CommandResult.Command is Verb { Config: { } config } verb && parsed.GetValue(config) is { } file)
            parsed = root.Parse(RunFile.Fill(file, words, verb, parsed), settings);
        return parsed.Action is ParseErrorAction ? throw UsageOf(parsed) : parsed;
    }

    /// <summary>The verbs, in the order of the help page. A new one is a file and a line here.</summary>
    internal static IEnumerable<Verb> Verbs(Host host) =>
    [
        new InitCommand(host),
        new ImportCommand(host),
        new QuantizeCommand(host),
        new InspectCommand(host),
        new DataCommand(host),
        new TrainCommand(host),
        new SweepCommand(host),
        new ReportCommand(host),
        new BenchCommand(host),
        new EvalCommand(host),
        new GenerateCommand(host),
        new ServeCommand(host),
        new MixCommand(host),
        new AverageCommand(host),
        new MergeCommand(host),
        new ExportCommand(host),
        new AdaptersCommand(host),
        new ArtifactsCommand(host),
        new AdapterFromCheckpointCommand(host),
        new TokenizeCommand(host),
        new DevicesCommand(host),
        new CompletionCommand(host),
    ];

    /// <summary>No <see cref="RootCommand"/>: its name would be that of the process, whichever that is.</summary>
    private static Command Root(Host host)
    {
        const string Description = "Parameter-efficient fine-tuning of ONNX language models, on plain ONNX Runtime.";
        var root = new Command("ortpeft", Description)
        {
            new HelpOption("--help", "-h", "-?")
            {
                Description = "Show this help.",
                Action = new HelpPage(host.Width, isWhole: false),
            },
            new Option<bool>(HelpPage.WholeName)
            {
                Description = "Show all options, the rare ones too.",
                Action = new HelpPage(host.Width, isWhole: true),
                Recursive = true,
            },
            new VersionOption("--version", "-v") { Description = "Show the version.", Action = new VersionLine() },
        };
        foreach (var verb in Verbs(host))
            root.Subcommands.Add(verb.Completed());
        return root;
    }

    private static UsageException UsageOf(ParseResult parsed)
    {
        if (parsed.CommandResult.Command is not Verb verb)
            return UsageOfRoot(parsed);
        if (parsed.UnmatchedTokens.FirstOrDefault(static t => t.StartsWith("--", StringComparison.Ordinal)) is { } option)
        {
            var names = verb.Options.SelectMany(static o => o.Aliases.Append(o.Name));
            var guess = Suggestion.Nearest(option, names) is { } name ? $"; did you mean {name}?" : ".";
            return new UsageException($"There is no option {option}{guess} See ortpeft {verb.Name} {HelpPage.WholeName}.");
        }

        if (parsed.UnmatchedTokens.FirstOrDefault(static t => t.Length > 0) is { } word)
        {
            var folder = verb.Options.FirstOrDefault(static o => o.Name == "--out");
            var isOutput = word[0] != '-' && folder is not null && parsed.GetResult(folder) is null or { Implicit: true };
            return new UsageException(
                $"'{word}' is not expected here{(isOutput ? $"; to write to it, give --out {word}" : "")}. "
                + $"See ortpeft {verb.Name} --help.");
        }

        var missing = verb.Arguments.FirstOrDefault(a => parsed.GetResult(a) is not { Tokens.Count: > 0 });
        var message = missing is null
            ? parsed.Errors[0].Message
            : $"<{missing.Name}> is missing: {missing.Description}";
        return new UsageException($"{message.TrimEnd('.')}; see ortpeft {verb.Name} --help.");
    }

    private static UsageException UsageOfRoot(ParseResult parsed)
    {
        string[] verbs = [.. parsed.CommandResult.Command.Subcommands.Select(static c => c.Name)];
        if (parsed.UnmatchedTokens is not [var word, ..])
            return new UsageException($"The command is missing; give one of {string.Join(", ", verbs)}, or --help.");
        return new UsageException(Suggestion.Verb(word, verbs) is { } guess
            ? $"'{word}' is not a command; did you mean {guess}? See ortpeft --help."
            : $"'{word}' is not a command; give one of {string.Join(", ", verbs)}, or --help.");
    }
}
