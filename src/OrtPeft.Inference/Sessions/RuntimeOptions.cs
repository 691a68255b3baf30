namespace OrtPeft.Inference.Sessions;

/// <summary>How ONNX Runtime runs a model.</summary>
public sealed record RuntimeOptions
{
    /// <summary>Threads that share one operator's work; 0 (default) takes all cores.</summary>
    public int Threads { get; init; }

    /// <summary>Where operators run: <c>cpu</c> (default) or <c>cuda</c>.</summary>
    public string Provider { get; init; } = "cpu";

    /// <summary>
    /// Whether constant matrices are copied into the order that the CPU multiplies fastest. Default true; off saves as
    /// much
    /// memory as the matrices take and costs little where each is multiplied by hundreds of rows at once.
    /// </summary>
    public bool Prepacking { get; init; } = true;

    /// <summary>
    /// Where ONNX Runtime writes each node's time, as Chrome's trace format, when the session is closed: what the
    /// file's path begins with. Null (default) to measure nothing.
    /// </summary>
    public string? ProfilePrefix { get; init; }
}
