using System.CommandLine;
using System.CommandLine.Invocation;
using System.Globalization;

namespace OrtPeft.Cli.Config;

/// <summary>Writes a run's file to begin with: every key, what it means, and its default.</summary>
internal sealed class StartingFile : SynchronousCommandLineAction
{
    /// <summary>The option that asks for it.</summary>
    public const string Option = "--init-config";

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        var (verb, output) = (parseResult.CommandResult.Command, parseResult.InvocationConfiguration.Output);
        output.Write($"# A run for: ortpeft {verb.Name} {RunFile.Option} {RunFile.FileName}\n");
        output.Write("# Options on the command line win. Paths are relative to the folder you run in.\n");
        foreach (var argument in verb.Arguments)
            output.Write($"\n# {argument.Description}\n{argument.Name.ToLowerInvariant()}: FOLDER\n");
        foreach (var option in RunKeys.Of(verb))
        {
            var comment = option.Required ? "" : "# ";
            var value = RunKeys.IsFlag(option) ? "true"
                : RunFileText.DefaultOf(option) is { } text ? RunFileText.Scalar(text)
                : RunFileText.Scalar(option.HelpName ?? "VALUE");
            output.Write(string.Create(
                CultureInfo.InvariantCulture,
                $"\n# {option.Description!.ReplaceLineEndings(" ")}\n{comment}{RunKeys.KeyOf(option)}: {value}\n"));
        }

        return 0;
    }
}
