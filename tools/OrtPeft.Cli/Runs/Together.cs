using OrtPeft.Cli.Errors;
using OrtPeft.Training.Distributed;

namespace OrtPeft.Cli.Runs;

/// <summary>A run of several processes that a launcher such as <c>mpirun</c> started.</summary>
internal static class Together
{
    /// <summary>The others leave the word to the first one, whose end is theirs; what goes wrong in all of them is said
    /// once.</summary>
    private static readonly TimeSpan Courtesy = TimeSpan.FromSeconds(3);

    /// <summary>Whether a launcher started this process beside others.</summary>
    public static bool IsOne => MpiLaunch.IsLaunched;

    /// <summary>Does this process's part, and leaves the others when it is done; <see cref="Fail"/> follows on what else
    /// is thrown.</summary>
    /// <param name="part">Its part, among the processes.</param>
    /// <exception cref="InterruptedException">The run was stopped, in all of them.</exception>
    public static void Run(Action<ProcessGroup> part)
    {
        var processes = ProcessGroup.FromLauncher();
        try
        {
            part(processes);
        }
        catch (InterruptedException)
        {
            processes.Dispose();
            throw;
        }

        processes.Dispose();
    }

    /// <summary>Says what went wrong, and ends all processes: they would wait for this one.</summary>
    /// <returns>The exit code, where this process is still there.</returns>
    public static int Fail(Exception error, Host host, bool verbose)
    {
        if (MpiLaunch.Rank > 0)
        {
            host.Interruption.Token.WaitHandle.WaitOne(Courtesy);
            host.Error.Write($"rank {MpiLaunch.Rank}: ");
        }

        var code = ErrorReport.Write(error, host.Error, verbose);
        host.Output.Flush();
        host.Error.Flush();
        ProcessGroup.FromLauncher().Abort(code);
        return code;
    }
}
