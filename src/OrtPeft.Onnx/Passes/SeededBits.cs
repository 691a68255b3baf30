using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Numerics;
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

    /// <summary>The factor that an element's number is multiplied by first.</summary>
    internal const uint Spread = 0x9E3779B1;

    /// <summary>Each round's factor.</summary>
    internal static ReadOnlySpan<uint> Factors => [0x7FEB352D, 0x846CA68B, 0x9E3779B1];

    /// <summary>A 32-bit hash of (seed, index, i) for every element i.</summary>
    /// <param name="x">The tensor whose elements get numbers.</param>
    /// <param name="index">Another number for every use in a graph.</param>
    /// <param name="seedInput">[] int64.</param>
    /// <returns>[elements] uint32, evenly distributed over all of its range, and the tensor's shape.</returns>
    public static (Term Bits, Value Shape) Of(Term x, int index, Value seedInput)
    {
        var (first, second) = Keys(x.Builder.Term(seedInput), new SplitMix64(index, "seeded-bits"));
        return Of(x, first, second);
    }

    /// <summary>
    /// The hash by two keys, from operators and types that every execution provider has: sums, products and quotients of
    /// uint32, which wrap around. Each round adds the high half to the low one, multiplies, and adds the high half's
    /// square, which is what keeps sums of masks from adding up to others.
    /// </summary>
    /// <param name="x">The tensor whose elements get numbers.</param>
    /// <param name="first">[] uint32.</param>
    /// <param name="second">[] uint32.</param>
    /// <param name="places">[rows] int64, for a tensor of rows that were picked from others: their places among those, by
    /// which their elements are numbered. Default null.</param>
    /// <returns>As above.</returns>
    public static (Term Bits, Value Shape) Of(Term x, Value first, Value second, Term? places = null)
    {
        var g = x.Builder;
        // Not Size: where it has no kernel, a device would copy all of x to the CPU to be counted.
        var shape = g.Shape(x);
        var count = g.Cast(g.Op("ReduceProd", [shape], NodeAttribute.Of("keepdims", 0L)), ElementType.Int32);
        var element = g.Term(g.Op("Range", g.Scalar(ElementType.Int32, 0), count, g.Scalar(ElementType.Int32, 1)));
        if (places is { } rows)
        {
            var length = g.Term(g.Cast(g.Gather(shape, g.Int64Scalar(-1)), ElementType.Int32));
            var row = element / length;
            element += (Cast(g.Term(g.Gather(rows, row)), ElementType.Int32) - row) * length;
        }

        var hash = (Cast(element, ElementType.UInt32) * Spread) + first;
        foreach (var factor in Factors)
        {
            var high = High(hash);
            hash = ((hash + high) * factor) + (high * high) + second;
        }

        return (hash + High(hash), shape);
    }

    /// <summary>Where a hash reaches a threshold, in the shape of what it was made for.</summary>
    public static Term Reached(Term bits, Value threshold, Value shape) =>
        bits.Builder.Term(bits.Builder.ReshapeTo(bits.Apply("GreaterOrEqual", threshold), shape));

    /// <summary>The keys of a hash.</summary>
    /// <param name="bits">Any value.</param>
    /// <returns>Null where it is none.</returns>
    public static (Value First, Value Second)? KeysOf(Value bits)
    {
        if (bits is not { Type: ElementType.UInt32 } || Parts(bits, "Add") is not var (hash, _))
            return null;
        Value? second = null;
        for (var round = 0; round < Factors.Length; round++)
        {
            if (Parts(hash, "Add") is not var (products, key) || Parts(products, "Add") is not var (product, _)
                || Parts(product, "Mul") is not var (sum, _) || Parts(sum, "Add") is not var (before, _)
                || (second ??= key) != key)
                return null;
            hash = before;
        }

        return Parts(hash, "Add") is var (spread, first) && Parts(spread, "Mul") is var (element, _)
            && element.Producer is { } cast && cast.Is("Cast") && cast.Inputs[0]!.Producer is { } range && range.Is("Range")
                ? (first, second!)
                : null;
    }

    private static (Value First, Value Second)? Parts(Value value, string opType) =>
        value.Producer is { } node && node.Is(opType) ? (node.Inputs[0]!, node.Inputs[1]!) : null;

    /// <summary>Two numbers of both halves of the seed, so that seeds that count up give hashes that have nothing in
    /// common.</summary>
    private static (Term First, Term Second) Keys(Term seed, SplitMix64 constants)
    {
        var low = Cast(seed, ElementType.UInt32);
        var high = Cast(seed / Math.Pow(2, 32), ElementType.UInt32);
        return ((low * 0x85EBCA6B) + Next(), (((low * 0xC2B2AE35) + high) * 0x27D4EB2F) + Next());

        uint Next() => (uint)constants.NextUInt64();
    }

    private static Term High(Term hash) => hash / 65536;
}
