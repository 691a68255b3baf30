using OrtPeft.Kernels;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;

namespace OrtPeft.Training;

/// <summary>The names of what frozen weights are multiplied in.</summary>
internal static class ProductPrecision
{
    /// <summary>Float32.</summary>
    public const string Float32 = "float32";

    /// <summary>Bfloat16 with float32 sums, where the processor or the device has it.</summary>
    public const string Bf16 = "bf16";

    /// <summary>Float16, with dynamic loss scaling.</summary>
    public const string Fp16 = "fp16";

    /// <summary>Bfloat16 where the processor has it, else float32.</summary>
    public const string Auto = "auto";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> Names { get; } = [Float32, Bf16, Fp16, Auto];

    /// <summary>The precision that a name means on this machine.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="options">Where products run.</param>
    /// <returns>One of the first three.</returns>
    /// <exception cref="SettingException">There is no such name, or the provider has no such products.</exception>
    public static string Resolve(string name, RuntimeOptions options)
    {
        if (!Names.Contains(name))
            throw new SettingException($"There is no precision '{name}'; choose from {string.Join(", ", Names)}.");
        var provider = ExecutionProvider.Named(options.Provider);
        if (provider.TakesKernels && name is Bf16 or Auto)
            return KernelDomain.ObstacleToBf16 is null ? Bf16 : Float32;
        if (name is Bf16 or Fp16 && !provider.HalfTypes.Contains(TypeOf(name)))
        {
            var others = ExecutionProvider.All.Where(p => p.HalfTypes.Contains(TypeOf(name))).Select(static p => p.Name);
            throw new SettingException(
                $"Precision is {name}, which the provider {provider.Name} has no products of; choose float32, or a provider "
                + $"of {string.Join(", ", others)}.");
        }

        return name == Auto ? Float32 : name;
    }

    /// <summary>The type in which the graph itself multiplies frozen weights: float32 where OrtPeft's kernels or nothing
    /// changes that.</summary>
    /// <inheritdoc cref="Resolve"/>
    public static ElementType InGraph(string name, RuntimeOptions options) => Resolve(name, options) switch
    {
        Fp16 => ElementType.Float16,
        Bf16 when !ExecutionProvider.Named(options.Provider).TakesKernels => ElementType.BFloat16,
        _ => ElementType.Float,
    };

    private static ElementType TypeOf(string name) => name == Fp16 ? ElementType.Float16 : ElementType.BFloat16;
}
