namespace OrtPeft.Kernels.HeadWise;

/// <summary>Keys next to each other.</summary>
/// <param name="First">The first of them.</param>
/// <param name="End">The one after the last.</param>
internal readonly record struct KeyRange(int First, int End)
{
    /// <summary>How many there are.</summary>
    public int Count => Math.Max(End - First, 0);

    /// <summary>The smallest range that has all of two.</summary>
    public KeyRange With(KeyRange other) => new(Math.Min(First, other.First), Math.Max(End, other.End));

    /// <summary>The keys that are in both.</summary>
    public KeyRange Within(KeyRange other) => new(Math.Max(First, other.First), Math.Min(End, other.End));
}
