using System.CommandLine;
using System.CommandLine.Invocation;

namespace OrtPeft.Cli;

/// <summary>Answers <c>--version</c> with this program's version, whatever process it runs in.</summary>
internal sealed class VersionLine : SynchronousCommandLineAction
{
    /// <summary>The version, such as <c>0.1.0</c>.</summary>
    public static string Version => typeof(VersionLine).Assembly.GetName().Version!.ToString(3);

    public override int Invoke(ParseResult parseResult)
    {
        parseResult.InvocationConfiguration.Output.WriteLine($"ortpeft {Version}");
        return 0;
    }
}
