namespace OrtPeft.Kernels.Products;

/// <summary>The memory that the next block will read: runs of bytes, a stride apart.</summary>
internal unsafe struct BlockAhead
{
    /// <summary>The first byte.</summary>
    public byte* Start;

    /// <summary>Bytes of a run, and how many runs there are.</summary>
    public int Bytes, Runs;

    /// <summary>How far runs are apart.</summary>
    public nint Stride;

    /// <summary>One run.</summary>
    public static BlockAhead Of(void* start, int bytes) => new() { Start = (byte*)start, Bytes = bytes, Runs = 1 };
}
