using Spectre.Console;

namespace OrtPeft.Cli;

/// <summary>The streams and services of a run of the command. Tests provide their own.</summary>
internal sealed class Host
{
    /// <summary>Results; with <c>--json</c> one JSON document and nothing else.</summary>
    public required TextWriter Output { get; init; }

    /// <summary>One line when the run fails.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>A prompt that is piped in.</summary>
    public TextReader Input { get; init; } = TextReader.Null;

    /// <summary>Shows live progress; null when the output is not a terminal.</summary>
    public IAnsiConsole? Terminal { get; init; }

    /// <summary>Characters in a line of help.</summary>
    public int Width { get; init; } = 100;

    /// <summary>Says when the user wants the run to stop.</summary>
    public required Interruption Interruption { get; init; }

    /// <summary>The clock for durations and for how often progress is shown.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>The same without a voice: other processes of the run speak.</summary>
    public Host Muted() => new()
    {
        Output = TextWriter.Null,
        Error = TextWriter.Null,
        Interruption = Interruption,
        Clock = Clock,
    };
}
