using System.CommandLine;
using System.CommandLine.Invocation;

namespace OrtPeft.Cli;

/// <summary>Answers <c>--version</c> with this program's version, whatever process it runs in.</summary>
internal sealed class VersionLine : SynchronousCommandLineAction
{
    public override int Invoke(ParseResult parseResult)
    {
        var version = typeof(VersionLine).Assembly.GetName().Version!.ToString(3);
        parseResult.InvocationConfiguration.Output.WriteLine($"ortpeft {version}");
        return 0;
    }
}
