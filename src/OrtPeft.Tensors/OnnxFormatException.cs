namespace OrtPeft.Tensors;

/// <summary>
/// A file that is not what it claims to be: its message names the file, the place in it and the remedy.
/// </summary>
public sealed class OnnxFormatException : Exception
{
    /// <summary>Creates the exception without a message; used by serialisers only.</summary>
    public OnnxFormatException()
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What is wrong, the value, where, and what to do, in one line.</param>
    public OnnxFormatException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception around its cause.</summary>
    /// <param name="message">What is wrong, the value, where, and what to do, in one line.</param>
    /// <param name="innerException">The cause.</param>
    public OnnxFormatException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
