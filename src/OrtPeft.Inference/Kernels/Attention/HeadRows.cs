namespace OrtPeft.Inference.Kernels.Attention;

/// <summary>The rows of one head.</summary>
/// <param name="start">The first row.</param>
/// <param name="stride">How far rows are apart.</param>
internal readonly unsafe struct HeadRows(float* start, nint stride)
{
    public readonly nint Stride = stride;

    private readonly float* _start = start;

    /// <summary>A row's first number.</summary>
    public float* At(int row) => _start + (row * Stride);
}
