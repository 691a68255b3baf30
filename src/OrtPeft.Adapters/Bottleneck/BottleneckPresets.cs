namespace OrtPeft.Adapters.Bottleneck;

/// <summary>Configurations that papers introduced, under the adapters library's names and with its defaults.</summary>
/// <seealso href="https://docs.adapterhub.ml/methods.html">The adapters library's methods.</seealso>
internal static class BottleneckPresets
{
    private static readonly BottleneckConfig Houlsby = new();

    private static readonly BottleneckConfig Pfeiffer = new()
    {
        MhAdapter = false,
        NonLinearity = "relu",
        OriginalLnBefore = true,
    };

    private static readonly BottleneckConfig Parallel = new()
    {
        MhAdapter = false,
        NonLinearity = "relu",
        ReductionFactor = 2,
        IsParallel = true,
        Scaling = 4,
        InitWeights = "mam_adapter",
    };

    private static readonly Dictionary<string, BottleneckConfig> Rows = new(StringComparer.Ordinal)
    {
        ["houlsby"] = Houlsby,
        ["double_seq_bn"] = Houlsby,
        ["pfeiffer"] = Pfeiffer,
        ["seq_bn"] = Pfeiffer,
        ["parallel"] = Parallel,
        ["par_bn"] = Parallel,
        ["scaled_parallel"] = Parallel with { TrainedScaling = "learned" },
        ["scaled_par_bn"] = Parallel with { TrainedScaling = "learned" },
    };

    /// <summary>All names.</summary>
    public static IReadOnlyCollection<string> Names => Rows.Keys;

    /// <summary>Finds a preset.</summary>
    /// <param name="name">Such as <c>houlsby</c> (after attention and MLP), <c>pfeiffer</c> (after the MLP, reading the
    /// residual sum) or <c>parallel</c> (beside the MLP).</param>
    /// <returns>The configuration.</returns>
    /// <exception cref="ConfigException">There is none of that name; the message lists them.</exception>
    public static BottleneckConfig Named(string name) => Rows.TryGetValue(name, out var preset)
        ? preset
        : throw new ConfigException($"preset is '{name}'; it must be one of {string.Join(", ", Rows.Keys)}.");
}
