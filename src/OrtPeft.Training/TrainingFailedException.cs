namespace OrtPeft.Training;

/// <summary>A run that cannot go on; its message names the step, the reason and the last good checkpoint.</summary>
public sealed class TrainingFailedException : Exception
{
    /// <summary>Creates the exception without a message; used by serialisers only.</summary>
    public TrainingFailedException()
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">The step, the reason, and what to do, in one line.</param>
    public TrainingFailedException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception around its cause.</summary>
    /// <param name="message">The step, the reason, and what to do, in one line.</param>
    /// <param name="innerException">The cause.</param>
    public TrainingFailedException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
