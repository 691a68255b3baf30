using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Onnx.Passes;

/// <summary>Random numbers as a function of a seed that is fed, in standard operators: the same on every device, and on
/// resume what they would have been.</summary>
internal static class SeededBits
{
    /// <summary>
    /// The input that training graphs with live dropout or noise have: [] int64, another number for every step.
    /// </summary>
    public const string SeedInput = "dropout_seed";

    /// <summary>Adds that input.</summary>
    public static Value AddSeed(Graph graph) => graph.AddInput(SeedInput, ElementType.Int64, []);

    /// <summary>
    /// A 64-bit hash of (seed, index, i) for every element i. Products wrap around; the fold in between carries high bits to
    /// low ones.
    /// </summary>
    /// <param name="x">The tensor whose elements get numbers.</param>
    /// <param name="index">Another number for every use in a graph.</param>
    /// <param name="seedInput">[] int64.</param>
    /// <returns>[elements] int64, evenly distributed over all of its range, and the tensor's shape.</returns>
    public static (Term Bits, Value Shape) Of(Term x, int index, Value seedInput)
    {
        const long Second = unchecked((long)0xBF58476D1CE4E5B9);
        var g = x.Builder;
        var seed = g.Term(seedInput);
        var shape = g.Shape(x);
        var count = g.Op("ReduceProd", [shape], NodeAttribute.Of("keepdims", 0L));
        var element = g.Term(g.Op("Range", g.Int64Scalar(0), count, g.Int64Scalar(1)));
        var first = g.Int64Scalar(unchecked((long)0x9E3779B97F4A7C15));
        var second = g.Int64Scalar(Second);
        var key = Fold((seed + g.Int64Scalar(unchecked(index * Second))) * first);
        return (Fold(element * first + key * second) * second, shape);
    }

    /// <summary>h ← h xor (h >> 32), the shift on the unsigned pattern.</summary>
    private static Term Fold(Term hash)
    {
        var g = hash.Builder;
        var unsigned = Cast(hash, ElementType.UInt64);
        var shifted = g.Op("BitShift", [unsigned, unsigned.Number(32)], NodeAttribute.Of("direction", "RIGHT"));
        return g.Term(g.Op("BitwiseXor", hash, g.Cast(shifted, ElementType.Int64)));
    }
}
