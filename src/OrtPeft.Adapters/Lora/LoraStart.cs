using OrtPeft.Onnx;

namespace OrtPeft.Adapters.Lora;

/// <summary>
/// The names under which an adapted graph keeps A₀ and B₀ that were taken out of the base. They follow from the base's
/// weight, so no file holds them.
/// </summary>
internal static class LoraStart
{
    private const string Suffix = ".start";

    public static string NameOf(string parameter) => parameter + Suffix;

    public static bool IsOne(string name) => name.EndsWith(Suffix, StringComparison.Ordinal);

    /// <summary>The tensors without A₀ and B₀.</summary>
    public static IReadOnlyDictionary<string, Tensor> Without(IReadOnlyDictionary<string, Tensor> weights) =>
        weights.Where(static w => !IsOne(w.Key)).ToDictionary(StringComparer.Ordinal);
}
