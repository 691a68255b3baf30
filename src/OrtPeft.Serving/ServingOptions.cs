using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;

namespace OrtPeft.Serving;

/// <summary>How many requests one model serves at a time, and whether adapters may come later.</summary>
public sealed record ServingOptions
{
    /// <summary>The most sequences that are computed in one step, 1 or more; default 32. Others wait.</summary>
    public int MaxBatch { get; init; } = 32;

    /// <summary>The most requests that wait, 0 or more; default 256. Further ones are refused.</summary>
    public int MaxQueue { get; init; } = 256;

    /// <summary>The memory that running sequences' keys and values may take, in bytes; null (default) for a quarter of the
    /// memory that the process may have. A sequence that needs more runs alone.</summary>
    public long? CacheMemory { get; init; }

    /// <summary>Whether adapters can be loaded after the model is open: every linear layer then has slots, which costs a
    /// little at each. Default false.</summary>
    public bool AllowsLoading { get; init; }

    /// <summary>How ONNX Runtime runs the model; the CPU with all cores by default.</summary>
    public RuntimeOptions Runtime { get; init; } = new();

    /// <summary>Checks the ranges.</summary>
    /// <exception cref="ArgumentException">A member leaves its range.</exception>
    public void Validate()
    {
        if (MaxBatch < 1)
            throw new SettingException($"{nameof(MaxBatch)} is {MaxBatch}; it must be 1 or more.");
        if (MaxQueue < 0)
            throw new SettingException($"{nameof(MaxQueue)} is {MaxQueue}; it must be 0 or more.");
        if (CacheMemory < 1)
            throw new SettingException($"{nameof(CacheMemory)} is {CacheMemory}; it must be 1 byte or more.");
    }
}
