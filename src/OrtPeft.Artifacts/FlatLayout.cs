namespace OrtPeft.Artifacts;

/// <summary>
/// Where tensors stand in the optimiser's flat vectors: one after another, each on a cache line of its own, so that
/// views into the vectors are as aligned as tensors of their own. The gaps stay zero.
/// </summary>
internal static class FlatLayout
{
    private const long FloatsPerLine = 16;

    /// <summary>Where the next tensor begins, or the vectors' length after the last one.</summary>
    /// <param name="offset">Where a tensor begins, in elements.</param>
    /// <param name="count">Its number of elements.</param>
    /// <returns>The first multiple of 16 after it.</returns>
    public static long After(long offset, long count) =>
        offset + ((count + FloatsPerLine - 1) / FloatsPerLine * FloatsPerLine);

    /// <summary>The length of the vectors that hold some parameters, in elements; 0 for none.</summary>
    public static long LengthOf(IReadOnlyList<ArtifactParameter> parameters) =>
        parameters is [.., var last] ? After(last.Offset!.Value, last.Count) : 0;
}
