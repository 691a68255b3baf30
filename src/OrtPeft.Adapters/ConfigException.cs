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

    /// <summary>The file, or whatever else the message begins with because its fault is there; null where the message
    /// does not say.</summary>
    public string? Origin { get; private init; }

    /// <summary>A fault of a file, or of whatever else it came from.</summary>
    /// <param name="origin">What messages call it; the message begins with it.</param>
    /// <param name="message">The field, its value, what is allowed and what to do, in one line.</param>
    /// <param name="innerException">The cause, or null.</param>
    /// <returns>The exception to throw.</returns>
    public static ConfigException At(string origin, string message, Exception? innerException = null) =>
        new($"{origin}: {message}", innerException!) { Origin = origin };

    /// <summary>A fault of a file that is there as a whole.</summary>
    /// <param name="file">The file.</param>
    /// <param name="message">What is said of it, as the rest of a sentence that begins with it.</param>
    /// <param name="innerException">The cause, or null.</param>
    /// <returns>The exception to throw.</returns>
    public static ConfigException OfFile(string file, string message, Exception? innerException = null) =>
        new($"{file} {message}", innerException!) { Origin = file };

    /// <summary>Whether the message tells of a file or folder, itself or something in it.</summary>
    /// <param name="origin">The file or folder, as messages call it.</param>
    /// <returns>Whether nothing needs to be added.</returns>
    public bool IsOf(string origin) => Origin?.StartsWith(origin, StringComparison.Ordinal) == true;
}
