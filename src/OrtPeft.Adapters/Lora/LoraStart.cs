using OrtPeft.Adapters.Modules;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Lora;

/// <summary>
/// A₀ and B₀ that were taken out of the base, which an adapted graph keeps. They follow from the base's weight, so no
/// file holds them.
/// </summary>
internal static class LoraStart
{
    /// <summary>
    /// Whether files must hold A₀ and B₀, within A and B of twice the rank: of a start by a random decomposition, which
    /// nobody can repeat, and of OLoRA on GPT-2's layers, where HF PEFT decomposes the weight the wrong way round.
    /// </summary>
    public static bool MustBeSaved(LoraConfig config, IReadOnlyList<LinearModule> targets) =>
        config.InitLoraWeights.IsRandomDecomposition
        || (config.InitLoraWeights == LoraInit.Olora && targets.Any(static t => !t.IsOutByIn));

    /// <summary>
    /// A file that has a layer's weight has what is left of it, as HF PEFT keeps it in the model: then there is nothing
    /// to take out any more, and A₀ and B₀ are zero.
    /// </summary>
    /// <param name="ofBase">The base's weights in the file.</param>
    /// <param name="buffers">The adapter's buffers, among them A₀ and B₀.</param>
    /// <param name="weights">The adapter's own tensors in the file.</param>
    /// <returns>The tensors to set.</returns>
    public static IReadOnlyDictionary<string, Tensor> WithoutStartOf(
        BaseWeights ofBase, IReadOnlyList<AdapterParameter> buffers, IReadOnlyDictionary<string, Tensor> weights)
    {
        var starts = buffers.Where(b => HfName.IsStart(b.Name) && ofBase.Replaces(b.Name)).ToList();
        if (starts.Count == 0)
            return weights;
        var all = weights.ToDictionary(StringComparer.Ordinal);
        foreach (var start in starts)
            all[start.Name] = InitialWeights.Zeros(start.Value.Initializer!.Dims.AsSpan());
        return all;
    }

    /// <summary>The tensors without A₀ and B₀.</summary>
    public static IReadOnlyDictionary<string, Tensor> Without(IReadOnlyDictionary<string, Tensor> weights) =>
        weights.Where(static w => !HfName.IsStart(w.Key)).ToDictionary(StringComparer.Ordinal);
}
