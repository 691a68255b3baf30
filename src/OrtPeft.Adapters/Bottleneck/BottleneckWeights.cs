using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Bottleneck;

/// <summary>Makes the fresh weight of one projection, [rows, columns] float32.</summary>
/// <param name="seed">Fixes the numbers.</param>
/// <param name="name">The weight's name.</param>
/// <param name="isUp">Whether it is the second projection.</param>
/// <param name="rows">Its output features.</param>
/// <param name="columns">Its input features.</param>
internal delegate Tensor BottleneckWeight(long seed, string name, bool isUp, long rows, long columns);

/// <summary>The adapters library's <c>init_weights</c> by name.</summary>
internal static class BottleneckWeights
{
    private static readonly Dictionary<string, BottleneckWeight> Rows = new(StringComparer.Ordinal)
    {
        ["bert"] = static (seed, name, _, rows, columns) => InitialWeights.Normal(seed, name, 0.02, rows, columns),
        ["houlsby"] = static (seed, name, _, rows, columns) =>
            InitialWeights.CutNormal(seed, name, 0.01, rows, columns),
        ["mam_adapter"] = static (seed, name, isUp, rows, columns) => isUp
            ? InitialWeights.Zeros(rows, columns)
            : InitialWeights.Kaiming(seed, name, rows, columns),
    };

    /// <summary>Finds an initialiser.</summary>
    /// <exception cref="ConfigException">There is none of that name; the message lists them.</exception>
    public static BottleneckWeight Named(string name) =>
        Rows.TryGetValue(name, out var weights)
            ? weights
            : throw new ConfigException($"init_weights is '{name}'; it must be one of {string.Join(", ", Rows.Keys)}.");
}
