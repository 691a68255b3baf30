namespace OrtPeft.Onnx;

/// <summary>An operator that a pass or a rule cannot handle; its message names op, node, opset and remedy.</summary>
public sealed class UnsupportedOpException : Exception
{
    /// <summary>Creates the exception without a message; used by serialisers only.</summary>
    public UnsupportedOpException()
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What is wrong, the value, where, and what to do, in one line.</param>
    public UnsupportedOpException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception around its cause.</summary>
    /// <param name="message">What is wrong, the value, where, and what to do, in one line.</param>
    /// <param name="innerException">The cause.</param>
    public UnsupportedOpException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
