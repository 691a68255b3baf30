using System.Diagnostics;

namespace OrtPeft.Samples.Tests;

/// <summary><c>samples/ondevice-csharp/Switching</c>, which switches between adapters with ONNX Runtime alone.</summary>
public sealed class SwitchingTests(ExportedAdapters exported) : IClassFixture<ExportedAdapters>
{
    [Fact]
    public void Program_ContinuesWithEachAdapter_AsOrtPeft()
    {
        const int Count = 6;
        string[] expected = [.. new[] { null, "a", "b" }.Select(
            name => $"{name ?? "base"}: {string.Join(' ', exported.Continued(name, Count))}")];

        var (code, output, errors) = Run(exported.Optional, string.Join(',', ExportedAdapters.Prompt), $"{Count}");

        Assert.True(code == 0, errors);
        Assert.Equal(expected, output.TrimEnd().Split('\n'));
        Assert.Equal(3, expected.Select(static line => line.Split(": ")[1]).Distinct().Count());
    }

    [Theory]
    [InlineData("nowhere", "1", "3", "nowhere has no model.onnx; give a folder of ortpeft export --format onnx-adapter.")]
    [InlineData("nowhere", "1;2", "3", "The input string '1;2' was not in a correct format.")]
    public void Program_WithWhatItCannotUse_SaysSoInOneLine(string folder, string prompt, string count, string said)
    {
        var (code, _, errors) = Run(folder, prompt, count);

        Assert.Equal(2, code);
        Assert.Equal(said, errors.TrimEnd());
    }

    private static (int Code, string Output, string Errors) Run(params string[] arguments)
    {
        var configuration = Path.GetFileName(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        const string Program = "OnDevice.Switching";
        var file = Path.Combine(AppContext.BaseDirectory, "..", "..", Program, configuration, $"{Program}.dll");
        using var process = Process.Start(new ProcessStartInfo("dotnet", [file, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, errors.Result);
    }
}
