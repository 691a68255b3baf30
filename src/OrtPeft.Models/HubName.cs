using System.Text.RegularExpressions;

namespace OrtPeft.Models;

/// <summary>Names of the Hugging Face Hub, and how to tell them from paths.</summary>
internal static partial class HubName
{
    /// <summary>Advice for a path that does not exist and reads like <c>organisation/model</c>; else an empty text.</summary>
    public static string AdviceFor(string path) => Pattern().IsMatch(path)
        ? $" (a model of the Hugging Face Hub? Download it: hf download {path} --local-dir {path.Split('/')[1]})"
        : "";

    /// <summary>Whether a text reads like <c>organisation/model</c>, and nothing is there on this machine.</summary>
    public static bool Is(string text) => Pattern().IsMatch(text) && !Path.Exists(text);

    /// <summary>The name of what the hub's cache holds at a path, <c>…/models--organisation--model/snapshots/…</c>, by
    /// the path alone; null where it is none.</summary>
    /// <param name="path">The path.</param>
    /// <param name="kind">What the cache holds there: <c>models</c> or <c>datasets</c>.</param>
    public static string? OfCache(string path, string kind)
    {
        var match = Cache().Match(Path.GetFullPath(path).Replace('\\', '/'));
        return match.Success && match.Groups["kind"].Value == kind ? match.Groups["name"].Value.Replace("--", "/", StringComparison.Ordinal) : null;
    }

    [GeneratedRegex(@"/(?<kind>models|datasets)--(?<name>[A-Za-z0-9][\w.-]*?)/snapshots/")]
    private static partial Regex Cache();

    [GeneratedRegex(@"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*\z(?<!\.onnx|\.safetensors)")]
    private static partial Regex Pattern();
}
