using Spectre.Console;

namespace OrtPeft.Cli.Reporting;

/// <summary>Shows how far a long write is, by the size of the files that it fills.</summary>
internal static class WritingReport
{
    private static readonly TimeSpan BetweenFrames = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan BetweenLines = TimeSpan.FromSeconds(5);

    /// <summary>Runs the writing and reports on it.</summary>
    /// <param name="run">Where reports go.</param>
    /// <param name="folder">The folder that fills.</param>
    /// <param name="expected">About how many bytes there will be.</param>
    /// <param name="write">The writing.</param>
    public static void Follow(Invocation run, string folder, long expected, Action write)
    {
        var work = Task.Run(write);
        if (run.Host.Terminal is { } terminal && !run.IsJson)
            Live(terminal, work, folder, expected);
        while (!Ends(work, BetweenLines))
            run.Say($"wrote {Human.Bytes(Written(folder))} of about {Human.Bytes(expected)}");
        work.GetAwaiter().GetResult();
    }

    private static void Live(IAnsiConsole terminal, Task work, string folder, long expected)
    {
        ProgressColumn[] columns = [new ProgressBarColumn(), new TaskDescriptionColumn { Alignment = Justify.Left }];
        terminal.Progress().AutoRefresh(false).AutoClear(true).Columns(columns).Start(display =>
        {
            var task = display.AddTask("writing", maxValue: Math.Max(1, expected));
            while (!Ends(work, BetweenFrames))
            {
                task.Value = Written(folder);
                task.Description = $"{Human.Bytes((long)task.Value)} of about {Human.Bytes(expected)}";
                display.Refresh();
            }
        });
    }

    /// <summary>Waits a while; how the work ended is for the caller to ask.</summary>
    private static bool Ends(Task work, TimeSpan wait) => Task.WaitAny([work], wait) == 0;

    private static long Written(string folder)
    {
        try
        {
            return new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(static f => f.Length);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return 0; // a file was just moved to its place
        }
    }
}
