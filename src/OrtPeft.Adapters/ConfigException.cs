namespace OrtPeft.Adapters;

/// <summary>A configuration that cannot be used as it is; its message names field, value and what is allowed.</summary>
public sealed class ConfigException : Exception
{
    /// <summary>Creates the exception without a message; used by serialisers only.</summary>
    public ConfigException()
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">The field, its value, what is allowed and what to do, in one line.</param>
    public ConfigException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception around its cause.</summary>
    /// <param name="message">The field, its value, what is allowed and what to do, in one line.</param>
    /// <param name="innerException">The cause.</param>
    public ConfigException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
