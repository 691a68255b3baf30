using System.CommandLine;
using OrtPeft.Cli.Options;

namespace OrtPeft.Cli.Commands;

/// <summary>One verb of the command: its options, its examples, and what it does.</summary>
internal abstract class Verb : Command
{
    /// <summary>Creates the verb with the options that every verb has.</summary>
    /// <param name="host">What runs talk to.</param>
    /// <param name="name">The verb.</param>
    /// <param name="description">One sentence for the help page.</param>
    protected Verb(Host host, string name, string description)
        : base(name, description)
    {
        var common = new CommonOptions();
        Add(common);
        SetAction(parsed =>
        {
            Run(new Invocation(host, parsed, common));
            return 0;
        });
    }

    /// <summary>Command lines that work as they stand, for the help page.</summary>
    public required IReadOnlyList<string> Examples { get; init; }

    /// <summary>What the help page says below the examples.</summary>
    public string Notes { get; init; } = "";

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
}
