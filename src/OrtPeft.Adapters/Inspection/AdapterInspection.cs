using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Modules;

namespace OrtPeft.Adapters.Inspection;

/// <summary>Statistics of an adapter's numbers, as far as its files tell. Reads all weights, a module at a time.</summary>
public sealed class AdapterInspection
{
    /// <summary>Parts of a name where a method's tensors of a module begin.</summary>
    private static readonly string[] OfMethods =
    [
        "lora_", "ia3_", "hada_", "lokr_", "vera_", "adapters", "trainable_tokens", "token_adapter", "modules_to_save",
        "base_layer", "original_module",
    ];

    private AdapterInspection(IReadOnlyList<TensorStatistics> tensors, IReadOnlyList<ModuleNorm> modules)
    {
        Tensors = tensors;
        Modules = modules;
    }

    /// <summary>Every tensor, in the order of the file.</summary>
    public IReadOnlyList<TensorStatistics> Tensors { get; }

    /// <summary>Every module, as its first tensor comes in the file.</summary>
    public IReadOnlyList<ModuleNorm> Modules { get; }

    /// <summary>The names of tensors that hold nothing but 0, as LoRA's B before training.</summary>
    public IReadOnlyList<string> Zero => [.. Tensors.Where(static t => t.IsZero).Select(static t => t.Name)];

    /// <summary>The faults in the numbers, a sentence for each faulty tensor.</summary>
    public IReadOnlyList<string> Faults => [.. Tensors.Select(static t => t.Fault).OfType<string>()];

    /// <summary>Reads an adapter's weights.</summary>
    /// <param name="adapter">The adapter.</param>
    /// <returns>What they are like.</returns>
    public static AdapterInspection Of(StoredAdapter adapter)
    {
        ArgumentNullException.ThrowIfNull(adapter);
        List<TensorStatistics> tensors =
            [.. adapter.Tensors.Select(static t => TensorStatistics.Of(t.Key, t.Value))];
        var sums = LowRankDelta.ModulesOf(adapter).ToHashSet(StringComparer.Ordinal);
        var modules = tensors.GroupBy(static t => ModuleOf(t.Name), StringComparer.Ordinal).Select(group =>
            sums.Contains(group.Key) ? OfDelta(adapter, group.Key) : OfTensors(group.Key, group));
        return new AdapterInspection(tensors, [.. modules]);
    }

    /// <summary>The module that a tensor belongs to, or its own name.</summary>
    internal static string ModuleOf(string name)
    {
        var path = name.StartsWith(HfName.Root, StringComparison.Ordinal) ? name[HfName.Root.Length..] : name;
        var parts = path.Split('.');
        var end = Array.FindIndex(parts, static part => OfMethods.Any(m => part.StartsWith(m, StringComparison.Ordinal)));
        if (end < 0)
            end = parts[^1] is "weight" or "bias" ? parts.Length - 1 : parts.Length;
        return end == 0 ? path : string.Join('.', parts[..end]);
    }

    private static ModuleNorm OfDelta(StoredAdapter adapter, string module)
    {
        var config = (LoraConfig)adapter.Config;
        var norm = LowRankDelta.Read(adapter, module).Norm;
        return new ModuleNorm(module, double.IsFinite(norm) ? norm : null, IsDelta: true)
        {
            Rank = config.RankOf(module),
            Scale = config.ScaleOf(module),
        };
    }

    private static ModuleNorm OfTensors(string module, IEnumerable<TensorStatistics> tensors)
    {
        var squares = tensors.Sum(static t => (t.Norm ?? double.NaN) * (t.Norm ?? double.NaN));
        return new ModuleNorm(module, double.IsFinite(squares) ? Math.Sqrt(squares) : null, IsDelta: false);
    }
}
