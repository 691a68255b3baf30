using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using OrtPeft.Cli.Commands;
using OrtPeft.Cli.Errors;

namespace OrtPeft.Cli;

/// <summary>The <c>ortpeft</c> command as a whole: parses, runs a verb, turns exceptions into exit codes.</summary>
internal static class CommandLine
{
    private const int HelpWidth = 100;

    /// <summary>Runs a command line.</summary>
    /// <param name="args">The arguments, without the program's name.</param>
    /// <param name="host">What the run talks to.</param>
    /// <returns>0 done, 1 failed while running, 2 wrong usage or bad input.</returns>
    public static int Run(IReadOnlyList<string> args, Host host)
    {
        try
        {
            var parsed = Root(host).Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
            if (parsed.Action is ParseErrorAction)
                throw UsageOf(parsed);
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
            return ErrorReport.Write(e, host.Error, args.Contains("--verbose"));
        }
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
        new BenchCommand(host),
        new EvalCommand(host),
        new GenerateCommand(host),
        new MixCommand(host),
        new MergeCommand(host),
        new ArtifactsCommand(host),
        new AdapterFromCheckpointCommand(host),
        new TokenizeCommand(host),
    ];

    /// <summary>No <see cref="RootCommand"/>: its name would be that of the process, whichever that is.</summary>
    private static Command Root(Host host)
    {
        var help = new HelpOption();
        help.Action = new HelpPage((HelpAction)help.Action!, HelpWidth);
        const string Description = "Parameter-efficient fine-tuning of ONNX language models, on plain ONNX Runtime.";
        var root = new Command("ortpeft", Description)
        {
            help,
            new VersionOption { Action = new VersionLine() },
        };
        foreach (var verb in Verbs(host))
            root.Subcommands.Add(verb.Completed());
        return root;
    }

    private static UsageException UsageOf(ParseResult parsed)
    {
        if (parsed.CommandResult.Command is not Verb verb)
        {
            var problem = parsed.UnmatchedTokens is [var word, ..] ? $"'{word}' is no verb" : "the verb is missing";
            var verbs = parsed.CommandResult.Command.Subcommands.Select(static c => c.Name);
            return new UsageException($"{problem}; give one of {string.Join(", ", verbs)}, or --help.");
        }

        var missing = verb.Arguments.FirstOrDefault(a => parsed.GetResult(a) is not { Tokens.Count: > 0 });
        var message = missing is null
            ? parsed.Errors[0].Message
            : $"<{missing.Name}> is missing: {missing.Description}";
        return new UsageException($"{message.TrimEnd('.')}; see ortpeft {verb.Name} --help.");
    }
}
