namespace OrtPeft.Models;

/// <summary>
/// A model description that cannot be used: its message names the file, the field, the value and what is allowed.
/// </summary>
public sealed class ModelConfigException : Exception
{
    /// <summary>Creates the exception without a message; used by serialisers only.</summary>
    public ModelConfigException()
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What is wrong, the value, where, and what is allowed, in one line.</param>
    public ModelConfigException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception around its cause.</summary>
    /// <param name="message">What is wrong, the value, where, and what is allowed, in one line.</param>
    /// <param name="innerException">The cause.</param>
    public ModelConfigException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
