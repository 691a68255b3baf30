namespace OrtPeft.Training;

/// <summary>Artifacts that this build of ONNX Runtime cannot train; the message names the package that can.</summary>
public sealed class TrainingRuntimeException : Exception
{
    /// <summary>Creates the exception without a message; used by serialisers only.</summary>
    public TrainingRuntimeException()
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What is missing, and what to do, in one line.</param>
    public TrainingRuntimeException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception around its cause.</summary>
    /// <param name="message">What is missing, and what to do, in one line.</param>
    /// <param name="innerException">The cause.</param>
    public TrainingRuntimeException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
