namespace OrtPeft.Kernels.Native;

/// <summary>A thread's memory for one piece of work, in parts of whole cache lines. It is kept for the next piece.
/// </summary>
internal unsafe ref struct KernelScratch
{
    /// <summary>Numbers of a cache line.</summary>
    public const int CacheLine = 16;

    [ThreadStatic]
    private static float[]? _memory;

    private float* _next;
    private readonly float* _end;

    /// <summary>Takes memory.</summary>
    /// <param name="count">Numbers of all parts together.</param>
    /// <param name="parts">How many parts there are.</param>
    public KernelScratch(long count, int parts)
    {
        count += (long)(parts + 1) * CacheLine;
        var start = KeptMemory.Of(ref _memory, count);
        _next = Aligned(start);
        _end = start + count;
    }

    /// <summary>The next part; its content is arbitrary.</summary>
    public float* Take(int count)
    {
        var part = _next;
        _next = Aligned(part + count);
        return _next <= _end ? part : throw new InvalidOperationException("Bug: a piece takes more than it asked for.");
    }

    private static float* Aligned(float* place) =>
        (float*)(((nint)place + (CacheLine * sizeof(float)) - 1) & -(CacheLine * sizeof(float)));
}
