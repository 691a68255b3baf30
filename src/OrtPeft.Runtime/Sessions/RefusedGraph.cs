using System.Text.RegularExpressions;
using Microsoft.ML.OnnxRuntime;

namespace OrtPeft.Runtime.Sessions;

/// <summary>Tells what ONNX Runtime has against a graph from a want of memory.</summary>
internal static partial class RefusedGraph
{
    /// <summary>
    /// Whether the graph is to blame for a session that could not be opened: a lack of memory, which has no code of
    /// its own, is told by its words.
    /// </summary>
    /// <param name="error">What opening threw.</param>
    /// <returns>Whether it is not a lack of memory.</returns>
    public static bool Is(OnnxRuntimeException error) =>
        !error.Message.Contains("alloc", StringComparison.OrdinalIgnoreCase);

    /// <summary>ONNX Runtime's words in one line, without code and full stop.</summary>
    /// <param name="error">What it threw.</param>
    /// <returns>The words.</returns>
    public static string Reason(OnnxRuntimeException error) =>
        White().Replace(ErrorCode().Replace(error.Message, ""), " ").Trim().TrimEnd('.');

    [GeneratedRegex(@"\[ErrorCode:\w+\] ?")]
    private static partial Regex ErrorCode();

    [GeneratedRegex(@"\s+")]
    private static partial Regex White();
}
