using OrtPeft.Onnx;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Numerics;

namespace OrtPeft.Adapters;

/// <summary>
/// Fresh weights, float32, made when they are first read. A parameter's numbers depend on seed and name alone, not on
/// what else is made.
/// </summary>
internal static class InitialWeights
{
    public static Tensor Zeros(params ReadOnlySpan<long> dims) => Filled(0, dims);

    public static Tensor Filled(float value, params ReadOnlySpan<long> dims) =>
        Promised(values => values.AsSpan().Fill(value), dims);

    /// <summary>Uniform in [−bound, bound).</summary>
    public static Tensor Uniform(long seed, string name, double bound, params ReadOnlySpan<long> dims) =>
        Drawn(seed, name, random => random.NextUniform(-bound, bound), dims);

    /// <summary>
    /// A matrix uniform in ±1/√columns: Kaiming's with a = √5, as PyTorch starts a linear layer's weight.
    /// </summary>
    public static Tensor Kaiming(long seed, string name, long rows, long columns) =>
        Uniform(seed, name, 1 / Math.Sqrt(columns), rows, columns);

    /// <summary>Normal with mean 0.</summary>
    public static Tensor Normal(long seed, string name, double standardDeviation, params ReadOnlySpan<long> dims) =>
        Drawn(seed, name, random => random.NextNormal(standardDeviation), dims);

    /// <summary>Normal with mean 0; what lies beyond two standard deviations is drawn again.</summary>
    public static Tensor CutNormal(long seed, string name, double standardDeviation, params ReadOnlySpan<long> dims) =>
        Drawn(seed, name, random => Cut(random, standardDeviation), dims);

    /// <summary>A tensor whose numbers a function makes when they are first read.</summary>
    /// <param name="make">Makes a float32 tensor of those axes.</param>
    /// <param name="dims">The axes.</param>
    public static Tensor Promised(Func<Tensor> make, params ReadOnlySpan<long> dims) =>
        new(ElementType.Float, [.. dims], new PromisedTensorData((long)Count(dims) * sizeof(float), make));

    /// <summary>Makes the numbers of those weights of a graph that are still promised.</summary>
    public static void MakeIn(Graph graph, IEnumerable<AdapterParameter> parameters)
    {
        foreach (var value in parameters.Select(static p => p.Value))
        {
            if (value.Initializer is { Data: PromisedTensorData promised } tensor)
                graph.SetInitializer(value, new Tensor(tensor.Type, tensor.Dims, promised.Made.Data, tensor.Name));
        }
    }

    private static Tensor Drawn(long seed, string name, Func<SplitMix64, float> draw, ReadOnlySpan<long> dims) =>
        Promised(
            values =>
            {
                var random = new SplitMix64(seed, name);
                for (var i = 0; i < values.Length; i++)
                    values[i] = draw(random);
            },
            dims);

    private static Tensor Promised(Action<float[]> fill, ReadOnlySpan<long> dims)
    {
        var (count, axes) = (Count(dims), dims.ToArray());
        return Promised(
            () =>
            {
                var values = new float[count];
                fill(values);
                return Tensor.Of<float>(values, axes);
            },
            dims);
    }

    private static float Cut(SplitMix64 random, double standardDeviation)
    {
        float value;
        do
            value = random.NextNormal(standardDeviation);
        while (Math.Abs(value) > 2 * standardDeviation);
        return value;
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
