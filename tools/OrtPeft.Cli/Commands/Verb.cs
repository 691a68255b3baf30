using System.CommandLine;
using System.CommandLine.Parsing;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Options;
using OrtPeft.Cli.Words;

namespace OrtPeft.Cli.Commands;

/// <summary>One verb of the command: its options, its examples, and what it does.</summary>
internal abstract class Verb : Command
{
    private readonly CommonOptions _common = new();

    /// <summary>Creates the verb.</summary>
    /// <param name="host">What runs talk to.</param>
    /// <param name="name">The verb.</param>
    /// <param name="description">One sentence for the help page.</param>
    protected Verb(Host host, string name, string description)
        : base(name, description)
    {
        SetAction(parsed =>
        {
            RefuseEmpty(parsed.CommandResult);
            if (RunsOnProvider)
                _common.Check(parsed);
            var run = new Invocation(host, parsed, _common);
            var model = Arguments.OfType<ModelArgument>().SingleOrDefault();
            Blame.On(model is null ? "" : run.Get(model), () => Run(run));
            return 0;
        });
    }

    /// <summary>Command lines that work as they stand, for the help page.</summary>
    public required IReadOnlyList<string> Examples { get; init; }

    /// <summary>The notes below the examples of the help page.</summary>
    public string Notes { get; init; } = "";

    /// <summary>The option that names a file with more options; null where a verb takes none.</summary>
    public Option<string?>? Config { get; protected init; }

    /// <summary>Whether <c>--provider</c> says where this run computes, which must be possible here.</summary>
    protected virtual bool RunsOnProvider => true;

    /// <summary>Adds what every verb takes, and HF's names for options.</summary>
    /// <returns>The verb.</returns>
    public Verb Completed()
    {
        if (Arguments.OfType<ModelArgument>().SingleOrDefault() is { } model)
            Add(model.Names);
        Add(_common);
        HfNames.AddTo(this);
        return this;
    }

    /// <summary>Does the work; returning means success.</summary>
    /// <param name="run">The options given, and where results go.</param>
    protected abstract void Run(Invocation run);

    /// <summary>Adds a group's options.</summary>
    /// <param name="group">The group.</param>
    protected void Add(IOptionGroup group)
    {
        foreach (var option in group.Options)
            Options.Add(option);
    }

    /// <summary>A shell makes nothing of a variable that is not set; only a text may be empty.</summary>
    private static void RefuseEmpty(CommandResult verb)
    {
        foreach (var result in verb.Children.Where(static r => r.Tokens.Any(static t => t.Value.Length == 0)))
        {
            var (name, kind) = result is OptionResult { Option: var option }
                ? (option.Name, option.HelpName)
                : ($"<{((ArgumentResult)result).Argument.Name}>", ((ArgumentResult)result).Argument.Name);
            if (!string.Equals(kind, "TEXT", StringComparison.OrdinalIgnoreCase))
                throw new UsageException($"{name} is empty; give a value, or leave it out.");
        }
    }
}
