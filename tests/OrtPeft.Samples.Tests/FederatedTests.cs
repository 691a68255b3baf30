using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using OrtPeft.Testing;

namespace OrtPeft.Samples.Tests;

/// <summary><c>samples/federated</c>: three devices that know other parts of a task.</summary>
public sealed partial class FederatedTests
{
    [ShellFact]
    public void Round_OfThreeDevices_EndsWithAMeanThatIsBetterThanEach()
    {
        using var folder = new TemporaryFolder();
        using var process = Process.Start(new ProcessStartInfo("bash", [Script()])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["ORTPEFT"] = Path.Combine(AppContext.BaseDirectory, "ortpeft.dll"),
                ["OUT"] = folder.Path,
                ["ROUNDS"] = "1",
                ["STEPS"] = "30",
            },
        })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();

        Assert.True(process.ExitCode == 0, output + errors.Result);
        double[] losses = [.. Losses().Match(output).Groups.Values.Skip(1).Select(
            static g => double.Parse(g.Value, CultureInfo.InvariantCulture))];
        Assert.Equal(5, losses.Length);
        Assert.All(losses[1..4], loss => Assert.InRange(losses[4], 0, loss * 0.9));
        Assert.All(losses[1..4], loss => Assert.InRange(loss, 0, losses[0] / 4));
        Assert.True(File.Exists(Path.Combine(folder.Path, "round-1", "mean", "adapter_model.safetensors")));
    }

    [GeneratedRegex(@"base: (\S+)\s+round 1: devices (\S+) (\S+) (\S+), mean (\S+)\s")]
    private static partial Regex Losses();

    private static string Script([CallerFilePath] string path = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path)!, "../../samples/federated/three-devices.sh"));
}
