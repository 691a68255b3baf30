using System.Globalization;
using OrtPeft.Tensors;

namespace OrtPeft.Testing;

/// <summary>Compares numbers that two programs computed.</summary>
internal static class Near
{
    /// <summary>Every element within an absolute distance; the message says where the largest one is.</summary>
    public static void Absolute(Tensor expected, Tensor actual, double tolerance, string what)
    {
        Assert.Equal(expected.Dims.AsEnumerable(), actual.Dims.AsEnumerable());
        Within(expected.ToFloat32(), actual.ToFloat32(), tolerance, what);
    }

    /// <summary>
    /// Every element within a part of the largest: single elements of a gradient are differences of larger numbers,
    /// whose rounding they inherit.
    /// </summary>
    public static void Relative(Tensor expected, Tensor actual, double tolerance, string what)
    {
        Assert.Equal(expected.Dims.AsEnumerable(), actual.Dims.AsEnumerable());
        Relative(expected.ToFloat32(), actual.ToFloat32(), tolerance, what);
    }

    public static void Relative(float[] expected, float[] actual, double tolerance, string what) =>
        Within(expected, actual, tolerance * expected.Max(float.Abs), what);

    public static void Within(float[] expected, float[] actual, double tolerance, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
        {
            var isNear = Math.Abs((double)expected[i] - actual[i]) <= tolerance;
            Assert.True(isNear, string.Create(
                CultureInfo.InvariantCulture, $"{what}[{i}]: {actual[i]:R}, expected {expected[i]:R} ± {tolerance:R}"));
        }
    }
}
