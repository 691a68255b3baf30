using OrtPeft.Adapters.Modules;
using OrtPeft.Tensors;

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

    /// <summary>
    /// Whether files must hold A₀ and B₀, within A and B of twice the rank: of a start by a random decomposition, which
    /// nobody can repeat, and of OLoRA on GPT-2's layers, where HF PEFT decomposes the weight the wrong way round.
    /// </summary>
    public static bool MustBeSaved(LoraConfig config, IReadOnlyList<LinearModule> targets) =>
        config.InitLoraWeights.IsRandomDecomposition
        || (config.InitLoraWeights == LoraInit.Olora && targets.Any(static t => !t.IsOutByIn));

    /// <summary>The tensors without A₀ and B₀.</summary>
    public static IReadOnlyDictionary<string, Tensor> Without(IReadOnlyDictionary<string, Tensor> weights) =>
        weights.Where(static w => !IsOne(w.Key)).ToDictionary(StringComparer.Ordinal);
}
