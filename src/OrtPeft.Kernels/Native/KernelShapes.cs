namespace OrtPeft.Kernels.Native;

/// <summary>Questions that operators ask about their inputs' axes.</summary>
internal static class KernelShapes
{
    /// <summary>How many elements a shape has.</summary>
    public static long Count(this ReadOnlySpan<long> dims)
    {
        var count = 1L;
        foreach (var dim in dims)
            count *= dim;
        return count;
    }

    /// <summary>How many elements a shape has.</summary>
    public static long Count(this long[] dims) => Count(dims.AsSpan());

    /// <summary>Fails where two inputs' shapes differ.</summary>
    public static void RequireEqual(ReadOnlySpan<long> expected, ReadOnlySpan<long> actual)
    {
        if (!expected.SequenceEqual(actual))
            throw Mismatch(expected, actual);
    }

    /// <summary>Fails where an input is not a vector of a length.</summary>
    public static void RequireVector(long length, ReadOnlySpan<long> actual)
    {
        if (actual is not [var found] || found != length)
            throw Mismatch([length], actual);
    }

    private static ArgumentException Mismatch(ReadOnlySpan<long> expected, ReadOnlySpan<long> actual) =>
        new($"an input is [{string.Join(", ", actual.ToArray())}], not [{string.Join(", ", expected.ToArray())}].");
}
