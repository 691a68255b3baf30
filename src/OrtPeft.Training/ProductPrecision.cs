using OrtPeft.Kernels;
using OrtPeft.Tensors;

namespace OrtPeft.Training;

/// <summary>The names of what frozen weights are multiplied in.</summary>
internal static class ProductPrecision
{
    /// <summary>Float32.</summary>
    public const string Float32 = "float32";

    /// <summary>Bfloat16 with float32 sums, where the processor has it.</summary>
    public const string Bf16 = "bf16";

    /// <summary>The second where the processor has it, else the first.</summary>
    public const string Auto = "auto";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> Names { get; } = [Float32, Bf16, Auto];

    /// <summary>The precision that a name means on this machine.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <returns>The first or the second of them.</returns>
    /// <exception cref="ArgumentException">There is no such name.</exception>
    public static string Resolve(string name)
    {
        if (!Names.Contains(name))
            throw new SettingException($"There is no precision '{name}'; choose from {string.Join(", ", Names)}.");
        return name != Float32 && KernelDomain.ObstacleToBf16 is null ? Bf16 : Float32;
    }
}
