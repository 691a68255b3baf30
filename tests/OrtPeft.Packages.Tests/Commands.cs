using System.Diagnostics;

namespace OrtPeft.Packages.Tests;

/// <summary>Runs programs to their end.</summary>
/// <param name="variables">What their environment has besides.</param>
internal sealed class Commands(IReadOnlyDictionary<string, string> variables)
{
    /// <summary>Runs a program that must succeed.</summary>
    /// <param name="folder">Where it runs.</param>
    /// <param name="program">The program.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <returns>What it printed.</returns>
    public string Run(string folder, string program, params string[] arguments)
    {
        using var process = Start(folder, program, arguments);
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}\n{output}\n{errors.Result}");
        return output;
    }

    /// <summary>Starts a program.</summary>
    /// <param name="folder">Where it runs.</param>
    /// <param name="program">The program.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <returns>The process; its output is to be read.</returns>
    public Process Start(string folder, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in variables)
            start.Environment[name] = value;
        start.Environment["DOTNET_NOLOGO"] = "1";
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        // Servers that outlive a build would keep its output open.
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["UseSharedCompilation"] = "false";
        return Process.Start(start)!;
    }
}
