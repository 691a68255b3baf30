using OrtPeft.Tensors;
using OrtPeft.Tensors.Numerics;

namespace OrtPeft.Adapters;

/// <summary>Fresh weights, float32. A parameter's numbers depend on seed and name alone, not on what else is
/// made.</summary>
internal static class InitialWeights
{
    public static Tensor Zeros(params ReadOnlySpan<long> dims) => Filled(0, dims);

    public static Tensor Filled(float value, params ReadOnlySpan<long> dims)
    {
        var values = new float[Count(dims)];
        values.AsSpan().Fill(value);
        return Tensor.Of<float>(values, dims);
    }

    /// <summary>Uniform in [−bound, bound).</summary>
    public static Tensor Uniform(long seed, string name, double bound, params ReadOnlySpan<long> dims)
    {
        var random = new SplitMix64(seed, name);
        var values = new float[Count(dims)];
        for (var i = 0; i < values.Length; i++)
            values[i] = random.NextUniform(-bound, bound);
        return Tensor.Of<float>(values, dims);
    }

    /// <summary>
    /// A matrix uniform in ±1/√columns: Kaiming's with a = √5, as PyTorch starts a linear layer's weight.
    /// </summary>
    public static Tensor Kaiming(long seed, string name, long rows, long columns) =>
        Uniform(seed, name, 1 / Math.Sqrt(columns), rows, columns);

    /// <summary>Normal with mean 0.</summary>
    public static Tensor Normal(long seed, string name, double standardDeviation, params ReadOnlySpan<long> dims)
    {
        var random = new SplitMix64(seed, name);
        var values = new float[Count(dims)];
        for (var i = 0; i < values.Length; i++)
            values[i] = random.NextNormal(standardDeviation);
        return Tensor.Of<float>(values, dims);
    }

    /// <summary>Normal with mean 0; what lies beyond two standard deviations is drawn again.</summary>
    public static Tensor CutNormal(long seed, string name, double standardDeviation, params ReadOnlySpan<long> dims)
    {
        var random = new SplitMix64(seed, name);
        var values = new float[Count(dims)];
        for (var i = 0; i < values.Length; i++)
        {
            do
                values[i] = random.NextNormal(standardDeviation);
            while (Math.Abs(values[i]) > 2 * standardDeviation);
        }

        return Tensor.Of<float>(values, dims);
    }

    private static int Count(ReadOnlySpan<long> dims)
    {
        Int128 count = 1;
        foreach (var dim in dims)
        {
            count *= dim;
            if (count > Array.MaxLength)
            {
                throw new ConfigException(
                    $"A weight of [{string.Join(", ", dims.ToArray())}] has more than {Array.MaxLength} numbers, which no "
                    + "adapter can have; the configuration's ranks and lengths must be smaller.");
            }
        }

        return (int)count;
    }
}
