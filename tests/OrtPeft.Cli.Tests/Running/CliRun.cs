using System.Text.Json.Nodes;

namespace OrtPeft.Cli.Tests.Running;

/// <summary>What one run of the command left: its exit code and both streams.</summary>
internal sealed record CliRun(int ExitCode, string Output, string Error)
{
    public JsonObject Json => JsonNode.Parse(Output)!.AsObject();

    public static CliRun Of(params string[] args) => With("", args);

    public static CliRun With(string input, params string[] args)
    {
        using var output = new StringWriter();
        return To(output, static _ => { }, input, args);
    }

    /// <summary>Runs with an interruption as Ctrl-C makes it, as soon as a text stands in the output.</summary>
    public static CliRun InterruptedAt(string text, params string[] args) => InterruptedAt(text, input: "", args);

    /// <summary>The same once something has been done with what the output says by then.</summary>
    public static CliRun InterruptedAfter(string text, Action<string> act, params string[] args)
    {
        using var output = new WatchedWriter();
        return To(output, interruption => output.Watch(text, Act(interruption)), "", args);

        Action Act(Interruption interruption) => () =>
        {
            try
            {
                act(output.ToString());
            }
            finally
            {
                interruption.Request();
            }
        };
    }

    /// <summary>The same with standard input.</summary>
    public static CliRun InterruptedAt(string text, string input, string[] args)
    {
        using var output = new WatchedWriter();
        return To(output, interruption => output.Watch(text, interruption.Request), input, args);
    }

    /// <summary>Runs with results going somewhere else, which the run does not keep.</summary>
    public static CliRun Into(TextWriter output, params string[] args) => To(output, static _ => { }, "", args);

    private static CliRun To(TextWriter output, Action<Interruption> prepare, string input, string[] args)
    {
        using var error = new StringWriter();
        using var interruption = new Interruption();
        using var reader = new StringReader(input);
        prepare(interruption);
        var host = new Host { Output = output, Error = error, Input = reader, Interruption = interruption };
        var code = CommandLine.Run(args, host);
        return new CliRun(code, output.ToString() ?? "", error.ToString());
    }

    /// <summary>The run succeeded and said nothing on the error stream.</summary>
    public CliRun Succeeded()
    {
        Assert.True(Error.Length == 0, Error);
        Assert.Equal(0, ExitCode);
        return this;
    }

    /// <summary>The run ended with a code and one line that says certain things.</summary>
    public void Refused(int code, params string[] parts)
    {
        Assert.True(code == ExitCode, $"Exit code {ExitCode}: {Error}");
        var line = Assert.Single(Error.TrimEnd('\n').Split('\n'));
        Assert.StartsWith("ortpeft: ", line, StringComparison.Ordinal);
        Assert.All(parts, part => Assert.True(line.Contains(part, StringComparison.Ordinal), $"'{part}' is not in: {line}"));
    }
}
