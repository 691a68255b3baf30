using System.Globalization;
using Spectre.Console;

namespace OrtPeft.Cli;

/// <summary>Where the process starts: connects the command line to the console.</summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        using var interruption = new Interruption();
        using var output = new StandardOutput(Console.Out);
        var host = new Host
        {
            Output = output,
            Error = Console.Error,
            Input = Console.In,
            Interruption = interruption,
            Terminal = Console.IsOutputRedirected ? null : AnsiConsole.Console,
            Width = !Console.IsOutputRedirected && Console.WindowWidth is > 0 and var columns ? columns : 100,
        };
        return CommandLine.Run(args, host);
    }
}
