using System.Diagnostics;
using System.Globalization;

namespace OrtPeft.Cli.Tests.Distributed;

/// <summary>Several processes of the command under an MPI's launcher.</summary>
internal sealed class Mpirun : IDisposable
{
    private readonly Process _process;
    private readonly Task<string> _output;
    private readonly Task<string> _error;

    private Mpirun(Process process)
    {
        _process = process;
        (_output, _error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
    }

    /// <summary>The launchers, by the endings that Debian gives them.</summary>
    public static IReadOnlyList<string> Names { get; } = ["openmpi", "mpich"];

    public static string PathOf(string name) => $"/usr/bin/mpirun.{name}";

    /// <summary>Starts two processes; <paramref name="more"/> is what the second has beyond the first.</summary>
    public static Mpirun Start(string name, string[] words, string[]? more = null)
    {
        var command = Path.Combine(AppContext.BaseDirectory, "ortpeft.dll");
        string[] launcher = name == "openmpi" ? ["--allow-run-as-root", "--oversubscribe"] : [];
        string[] first = ["-n", more is null ? "2" : "1", "dotnet", command, .. words];
        string[] second = more is null ? [] : [":", "-n", "1", "dotnet", command, .. words, .. more];
        var start = new ProcessStartInfo(PathOf(name), [.. launcher, .. first, .. second])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return new Mpirun(Process.Start(start)!);
    }

    /// <summary>Kills the youngest of the processes without a word.</summary>
    public void KillOne()
    {
        var pids = Directory.EnumerateDirectories("/proc").Select(Path.GetFileName)
            .Select(static name => int.TryParse(name, CultureInfo.InvariantCulture, out var pid) ? pid : 0);
        using var last = Process.GetProcessById(pids.Where(IsOne).Max());
        last.Kill();
    }

    /// <summary>Waits for the end.</summary>
    public (int ExitCode, string Output, string Error) End()
    {
        Assert.True(_process.WaitForExit(TimeSpan.FromMinutes(2)), "the processes do not end");
        return (_process.ExitCode, _output.Result, _error.Result);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }

    private bool IsOne(int pid)
    {
        for (var at = pid; at > 1;)
        {
            var status = $"/proc/{at}/stat";
            if (!File.Exists(status))
                return false;
            at = int.Parse(File.ReadAllText(status).Split(')')[^1].Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
            if (at == _process.Id)
                return File.ReadAllText($"/proc/{pid}/comm").StartsWith("dotnet", StringComparison.Ordinal);
        }

        return false;
    }
}
