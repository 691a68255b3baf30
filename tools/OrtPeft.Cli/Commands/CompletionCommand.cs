using System.CommandLine;
using OrtPeft.Cli.Completion;
using OrtPeft.Cli.Errors;

namespace OrtPeft.Cli.Commands;

/// <summary>Prints the script that completes words in a shell.</summary>
internal sealed class CompletionCommand : Verb
{
    private readonly Argument<string> _shell = new("shell")
    {
        Description = $"The shell: {string.Join(", ", CompletionScript.Names)}.",
    };

    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public CompletionCommand(Host host)
        : base(host, "completion", "Print a script that completes commands and options in your shell.")
    {
        Examples =
        [
            "source <(ortpeft completion bash)",
            "ortpeft completion fish > ~/.config/fish/completions/ortpeft.fish",
            "ortpeft completion pwsh | Out-String | Invoke-Expression",
        ];
        Arguments.Add(_shell);
    }

    protected override void Run(Invocation run)
    {
        var shell = run.Get(_shell);
        if (!CompletionScript.Names.Contains(shell))
        {
            throw new UsageException(
                $"There is no script for '{shell}'; choose one of {string.Join(", ", CompletionScript.Names)}.");
        }

        var script = CompletionScript.Of(shell, [.. CommandLine.Verbs(run.Host).Select(static v => v.Completed())]);
        run.Write(script);
        run.Answer(new() { ["shell"] = shell, ["script"] = script });
    }
}
