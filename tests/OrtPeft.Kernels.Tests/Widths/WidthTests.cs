using System.Diagnostics;

namespace OrtPeft.Kernels.Tests.Widths;

public sealed class WidthTests
{
    /// <summary>.NET reads the switch when a process starts. A processor that lacks what it turns off runs as it
    /// would.</summary>
    [Theory]
    [InlineData("DOTNET_EnableAVX512", 256)]
    [InlineData("DOTNET_EnableAVX2", 128)]
    public async Task Run_WithNarrowerVectors_GivesTheSameAsStandardOperators(string without, int bits)
    {
        var start = new ProcessStartInfo("dotnet", ["exec", typeof(WidthCheck).Assembly.Location])
        {
            RedirectStandardOutput = true,
            Environment = { [without] = "0" },
        };

        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();

        Assert.Equal($"{WidthCheck.Cases.Count} cases with {Math.Min(bits, WidthCheck.Bits)} bits", output.Trim());
        Assert.Equal(0, process.ExitCode);
    }
}
