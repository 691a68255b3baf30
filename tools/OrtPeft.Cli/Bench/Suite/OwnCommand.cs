using System.Diagnostics;
using OrtPeft.Cli.Errors;

namespace OrtPeft.Cli.Bench.Suite;

/// <summary>Runs the command itself in another process, whose memory and compiled code are its own.</summary>
internal static class OwnCommand
{
    private const string DotNet = "dotnet";

    /// <summary>Runs a verb to its end.</summary>
    /// <param name="arguments">The verb and its options.</param>
    /// <param name="turnedOff">A variable of the environment to set to 0; null for none.</param>
    /// <param name="cancellation">Ends the process.</param>
    /// <returns>What it wrote to its standard output.</returns>
    /// <exception cref="UsageException">It failed; the message has its last line.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static string Run(IReadOnlyList<string> arguments, string? turnedOff, CancellationToken cancellation)
    {
        var start = Start(arguments);
        if (turnedOff is not null)
            start.Environment[turnedOff] = "0";
        using var process = Process.Start(start)!;
        using var stop = cancellation.Register(() => process.Kill(entireProcessTree: true));
        var errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        cancellation.ThrowIfCancellationRequested();
        if (process.ExitCode == 0)
            return output;
        var last = errors.Result.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault() ?? "nothing";
        throw new UsageException($"'ortpeft {string.Join(' ', arguments)}' failed and said: {last}");
    }

    /// <summary>A program of its own, or an assembly that .NET's command runs.</summary>
    private static ProcessStartInfo Start(IReadOnlyList<string> arguments)
    {
        var assembly = Path.Combine(AppContext.BaseDirectory, $"{typeof(OwnCommand).Assembly.GetName().Name}.dll");
        var start = File.Exists(assembly)
            ? new ProcessStartInfo(HostOf(Environment.ProcessPath), [assembly, .. arguments])
            : new ProcessStartInfo(Environment.ProcessPath!, arguments);
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        return start;
    }

    private static string HostOf(string? process) =>
        Path.GetFileNameWithoutExtension(process) == DotNet ? process! : DotNet;
}
