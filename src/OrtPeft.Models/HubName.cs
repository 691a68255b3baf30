using System.Text.RegularExpressions;

namespace OrtPeft.Models;

/// <summary>Tells names of the Hugging Face Hub from paths.</summary>
internal static partial class HubName
{
    /// <summary>What to do where a path that does not exist reads like <c>organisation/model</c>; else an empty
    /// text.</summary>
    public static string AdviceFor(string path) => Pattern().IsMatch(path)
        ? $" (a model of the Hugging Face Hub? Download it: hf download {path} --local-dir {path.Split('/')[1]})"
        : "";

    [GeneratedRegex(@"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*\z(?<!\.onnx|\.safetensors)")]
    private static partial Regex Pattern();
}
