using Microsoft.ML.OnnxRuntime;

namespace OrtPeft.Runtime.Sessions;

/// <summary>
/// ONNX Runtime opened a graph and failed while it ran it. The message names the graph or its file and has ONNX
/// Runtime's reason.
/// </summary>
public sealed class SessionException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">Which graph, why, and what to do.</param>
    /// <param name="inner">ONNX Runtime's error.</param>
    public SessionException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    /// <summary>The graph or file that the message begins with; null where it names none.</summary>
    public string? Origin { get; private init; }

    /// <summary>Whether the message tells of a file or folder, itself or something in it.</summary>
    /// <param name="origin">The file or folder, as messages call it.</param>
    /// <returns>Whether nothing needs to be added.</returns>
    public bool IsOf(string origin) => Origin?.StartsWith(origin, StringComparison.Ordinal) == true;

    /// <summary>Says what failed on which graph.</summary>
    /// <param name="graph">The graph or its file, as the subject of the message.</param>
    /// <param name="error">ONNX Runtime's error.</param>
    /// <returns>The exception to throw.</returns>
    public static SessionException Of(string graph, OnnxRuntimeException error)
    {
        ArgumentNullException.ThrowIfNull(error);
        var reason = RefusedGraph.Reason(error);
        var what = error.Message.Contains("alloc", StringComparison.OrdinalIgnoreCase)
            ? "takes more memory than there is; try fewer or shorter rows"
            : "failed while ONNX Runtime ran it";
        return new SessionException($"{graph} {what}: {reason}.", error) { Origin = graph };
    }
}
