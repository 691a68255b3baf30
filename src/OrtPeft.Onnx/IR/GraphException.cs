namespace OrtPeft.Onnx;

/// <summary>A graph that breaks its own rules, or an edit that would break them; the graph is left as it was.</summary>
public sealed class GraphException : Exception
{
    /// <summary>Creates the exception without a message; used by serialisers only.</summary>
    public GraphException()
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What is wrong, the value, where, and what to do, in one line.</param>
    public GraphException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception around its cause.</summary>
    /// <param name="message">What is wrong, the value, where, and what to do, in one line.</param>
    /// <param name="innerException">The cause.</param>
    public GraphException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
