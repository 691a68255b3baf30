namespace OrtPeft.Training.Distributed;

/// <summary>Processes cannot train together; the message says why, and names the rank where it is one's fault.</summary>
public sealed class DistributedException : Exception
{
    /// <summary>Creates the exception.</summary>
    public DistributedException()
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What is wrong and what to do.</param>
    public DistributedException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What is wrong and what to do.</param>
    /// <param name="inner">Its cause.</param>
    public DistributedException(string message, Exception inner)
        : base(message, inner)
    {
    }

    /// <summary>Whether there is no MPI to speak to the others with. Default false.</summary>
    public bool IsOfLibrary { get; init; }
}
