using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace OrtPeft.OnDevice.Tests.Engine;

/// <summary>ONNX Runtime 1.19.2's training engine: its WebAssembly build, in Node.</summary>
internal static class TrainingEngine
{
    /// <summary>What is missing for the engine to run, with what to do; null when nothing is.</summary>
    public static string? WhyNot { get; } = FindOut();

    private static string Folder => Path.GetFullPath(Path.Combine(ThisFolder(), "..", "..", "OrtTrainingWasm"));

    /// <summary>Runs jobs one after the other in one process.</summary>
    /// <param name="jobs">The jobs as <c>run.mjs</c> reads them.</param>
    /// <param name="scratch">A folder for the files between the two programs.</param>
    /// <returns>The results by job name.</returns>
    public static JsonElement Run(string jobs, string scratch)
    {
        var (input, output) = (Path.Combine(scratch, "jobs.json"), Path.Combine(scratch, "results.json"));
        File.WriteAllText(input, jobs);
        using var process = Process.Start(
            new ProcessStartInfo("node", [Path.Combine(Folder, "run.mjs"), input, output])
            {
                RedirectStandardError = true,
                RedirectStandardOutput = true,
            })!;
        var errors = process.StandardError.ReadToEndAsync();
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"node ended with {process.ExitCode}: {errors.Result}");
        using var json = JsonDocument.Parse(File.ReadAllBytes(output));
        return json.RootElement.Clone();
    }

    private static string? FindOut()
    {
        if (!HasNode())
            return "Node is not installed; install Node 20 or newer to run ONNX Runtime's training engine.";
        var package = Path.Combine(Folder, "node_modules", "onnxruntime-web");
        return Directory.Exists(package) ? null : $"{package} is missing; run: npm ci --prefix {Folder}";
    }

    private static bool HasNode()
    {
        var name = OperatingSystem.IsWindows() ? "node.exe" : "node";
        return (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Any(folder => File.Exists(Path.Combine(folder, name)));
    }

    private static string ThisFolder([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
