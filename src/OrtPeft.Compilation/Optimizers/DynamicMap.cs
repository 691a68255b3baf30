namespace OrtPeft.Compilation.Optimizers;

/// <summary>
/// The numbers of the dynamic data type with 8 bits, ascending, −1 or 0 to 1: the more leading zeros, the fewer bits for the
/// fraction.
/// </summary>
/// <seealso href="https://arxiv.org/abs/1511.04561">Dettmers, 8-Bit Approximations for Parallelism in Deep Learning,
/// section 2.1; the middles of each decade's steps, as in bitsandbytes.</seealso>
internal static class DynamicMap
{
    private const int Exponents = 7;

    /// <summary>256 numbers of both signs.</summary>
    public static float[] Signed { get; } = Of(isSigned: true);

    /// <summary>256 numbers of 0 or more.</summary>
    public static float[] Unsigned { get; } = Of(isSigned: false);

    private static float[] Of(bool isSigned)
    {
        var numbers = new List<double> { 0, 1 };
        for (var exponent = 0; exponent < Exponents; exponent++)
        {
            var steps = 1 << (isSigned ? exponent : exponent + 1);
            var decade = Math.Pow(10, exponent - (Exponents - 1));
            for (var step = 0; step < steps; step++)
            {
                var middle = decade * (0.1 + (0.9 * (step + 0.5) / steps));
                numbers.Add(middle);
                if (isSigned)
                    numbers.Add(-middle);
            }
        }

        return [.. numbers.Order().Select(static x => (float)x)];
    }
}
