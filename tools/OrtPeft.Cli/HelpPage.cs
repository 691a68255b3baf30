using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using OrtPeft.Cli.Commands;

namespace OrtPeft.Cli;

/// <summary>The help page that System.CommandLine makes of the options, and a verb's examples below it.</summary>
internal sealed class HelpPage : SynchronousCommandLineAction
{
    private readonly HelpAction _page;

    public HelpPage(HelpAction page, int width)
    {
        _page = page;
        _page.MaxWidth = width;
    }

    public override int Invoke(ParseResult parseResult)
    {
        var code = _page.Invoke(parseResult);
        if (parseResult.CommandResult.Command is not Verb verb)
            return code;
        var output = parseResult.InvocationConfiguration.Output;
        output.WriteLine("Examples:");
        foreach (var example in verb.Examples)
            output.WriteLine($"  {example}");
        if (verb.Notes.Length > 0)
            output.WriteLine($"\n{verb.Notes}");
        return code;
    }
}
