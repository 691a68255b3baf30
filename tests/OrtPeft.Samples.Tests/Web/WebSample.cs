using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace OrtPeft.Samples.Tests.Web;

/// <summary>The folder <c>samples/web</c> and Node, which runs its programs.</summary>
internal static class WebSample
{
    private static readonly string[] Browsers =
    [
        Environment.GetEnvironmentVariable("CHROMIUM") ?? "",
        "/usr/bin/chromium",
        "/usr/bin/chromium-browser",
        "/usr/bin/google-chrome",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "C:/Program Files/Google/Chrome/Application/chrome.exe",
    ];

    /// <summary>What is missing to run the sample's programs, with what to do; null when nothing is.</summary>
    public static string? WhyNotNode { get; } = FindOut();

    /// <summary>What is missing to open the page, with what to do; null when nothing is.</summary>
    public static string? WhyNotChromium { get; } = WhyNotNode ?? (Browsers.Any(File.Exists)
        ? null
        : "Chromium is not installed; install it, or name its executable in the variable CHROMIUM.");

    /// <summary>The sample's folder.</summary>
    public static string Folder => Path.Combine(Repository, "samples", "web");

    /// <summary>The model that the page adapts, an HF folder.</summary>
    public static string Base => Path.Combine(Repository, "models", "tiny-gpt2-apidocs");

    /// <summary>The package for onnxruntime-web.</summary>
    public static string Package => Path.Combine(Repository, "packaging", "npm");

    private static string Repository => Path.GetFullPath(Path.Combine(ThisFolder(), "..", "..", ".."));

    /// <summary>Runs Node in the sample's folder; fails the test when it fails.</summary>
    /// <param name="variables">Environment variables beside the process's own.</param>
    /// <param name="arguments">Node's arguments.</param>
    /// <returns>Its standard output.</returns>
    public static string Node(IReadOnlyDictionary<string, string> variables, params string[] arguments) =>
        NodeIn(Folder, variables, arguments);

    /// <summary>The same in another folder.</summary>
    public static string NodeIn(string folder, IReadOnlyDictionary<string, string> variables, params string[] arguments)
    {
        var start = new ProcessStartInfo("node", arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        foreach (var (name, value) in variables)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        var command = $"node {string.Join(' ', arguments)}";
        Assert.True(process.ExitCode == 0, $"{command} ended with {process.ExitCode}:\n{output}{errors.Result}");
        return output;
    }

    private static string? FindOut()
    {
        var name = OperatingSystem.IsWindows() ? "node.exe" : "node";
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        if (!path.Any(folder => File.Exists(Path.Combine(folder, name))))
            return "Node is not installed; install Node 20 or newer to test samples/web.";
        return new[] { Folder, Package }.Where(static f => !Directory.Exists(Path.Combine(f, "node_modules", "onnxruntime-web")))
            .Select(static f => $"{f} lacks onnxruntime-web; run: npm ci --prefix {f}").FirstOrDefault();
    }

    private static string ThisFolder([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
