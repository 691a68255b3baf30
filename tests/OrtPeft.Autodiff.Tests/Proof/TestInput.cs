using OrtPeft.Tensors;

namespace OrtPeft.Autodiff.Tests.Proof;

/// <summary>What a case feeds: axes and elements, floating-point unless a type is given.</summary>
internal sealed class TestInput
{
    private readonly Func<int, double[]> _values;

    private TestInput(long[] dims, Func<int, double[]> values, ElementType? type = null)
    {
        Dims = dims;
        Type = type;
        _values = values;
    }

    public long[] Dims { get; }

    /// <summary>Null for the floating-point type under test.</summary>
    public ElementType? Type { get; }

    public bool IsDifferentiated => Type is null;

    /// <summary>
    /// Numbers of either sign and of sizes 0.25 to 1.75, others for each place in the list of inputs.
    /// </summary>
    public static TestInput Generic(params long[] dims) => new(dims, place => Draw(dims, place, signed: true));

    /// <summary>Numbers from 0.25 to 1.75.</summary>
    public static TestInput Positive(params long[] dims) => new(dims, place => Draw(dims, place, signed: false));

    public static TestInput Of(double[] values, params long[] dims) =>
        new(dims.Length == 0 ? [values.Length] : dims, _ => values);

    public static TestInput Scalar(double value) => new([], _ => [value]);

    public static TestInput Int64(double[] values, params long[] dims) => new(dims, _ => values, ElementType.Int64);

    public static TestInput Int32(double[] values, params long[] dims) => new(dims, _ => values, ElementType.Int32);

    public static TestInput Bool(double[] values, params long[] dims) => new(dims, _ => values, ElementType.Bool);

    /// <summary>The elements, row-major.</summary>
    /// <param name="place">Which input of the case it is.</param>
    public double[] Values(int place) => [.. _values(place)];

    private static double[] Draw(long[] dims, int place, bool signed)
    {
        var random = new Random(1000 + place);
        var values = new double[dims.Aggregate(1L, static (product, d) => product * d)];
        foreach (ref var value in values.AsSpan())
            value = (0.25 + (1.5 * random.NextDouble())) * (signed && random.Next(2) == 0 ? -1 : 1);
        return values;
    }
}
