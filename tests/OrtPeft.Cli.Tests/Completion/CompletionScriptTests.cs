using System.Diagnostics;
using OrtPeft.Cli.Tests.Running;

namespace OrtPeft.Cli.Tests.Completion;

public sealed class CompletionScriptTests
{
    [Theory]
    [InlineData("bash")]
    [InlineData("zsh")]
    [InlineData("fish")]
    [InlineData("pwsh")]
    public void Script_KnowsVerbsAndOptions(string shell)
    {
        var script = CliRun.Of("completion", shell).Succeeded().Output;

        Assert.Contains("train", script, StringComparison.Ordinal);
        Assert.Contains("grad-accum", script, StringComparison.Ordinal);
    }

    [Fact]
    public void UnknownShell_IsRefused() => CliRun.Of("completion", "tcsh").Refused(2, "'tcsh'", "bash");

    [Theory]
    [InlineData("ortpeft tra", "train")]
    [InlineData("ortpeft train --grad", "--grad-accum")]
    [InlineData("ortpeft train --schedule lin", "linear")]
    public void Bash_CompletesWords(string line, string expected)
    {
        if (OperatingSystem.IsWindows())
            return;
        var script = CliRun.Of("completion", "bash").Succeeded().Output;
        const string Ask = "COMP_CWORD=$((${#COMP_WORDS[@]}-1)); _ortpeft; echo \"${COMPREPLY[*]}\"";
        var test = $"{script}\nCOMP_WORDS=({line}); {Ask}";

        using var bash = Process.Start(new ProcessStartInfo("bash", ["-c", test]) { RedirectStandardOutput = true })!;
        var output = bash.StandardOutput.ReadToEnd();
        bash.WaitForExit();

        Assert.Equal(expected, output.Trim());
    }
}
