using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Modules;

/// <summary>
/// Names of tensors that a program saved with its wrapping of the model, as torch.compile, data parallelism and
/// activation checkpointing put into them, or with the adapter's name, which HF PEFT's save_pretrained leaves out.
/// </summary>
internal static class WrappedNames
{
    private const string Adapter = $".{PeftModel.DefaultName}";
    private const string Parallel = "module.";
    private const string Saved = ".modules_to_save.";

    /// <summary>Where the adapters library has an adapter's name, which is part of its tensors' names.</summary>
    private const string OfLibrary = $".adapters{Adapter}.";

    private static readonly string[] Anywhere =
        ["_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module."];

    /// <summary>Tensors under HF PEFT's own names.</summary>
    /// <param name="weights">An adapter's file.</param>
    /// <param name="source">What messages call it.</param>
    /// <param name="isOwn">Whether a name is one of the model's as it stands, such as those of several active adapters;
    /// null for none.</param>
    /// <exception cref="ConfigException">Two tensors have one name without their wrapping.</exception>
    public static IReadOnlyDictionary<string, Tensor> Plain(
        IReadOnlyDictionary<string, Tensor> weights, string source, Func<string, bool>? isOwn = null)
    {
        var names = weights.Keys.ToDictionary(
            static name => name, name => isOwn?.Invoke(name) == true ? name : Plain(name), StringComparer.Ordinal);
        if (names.All(static n => n.Key == n.Value))
            return weights;
        var plain = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var (name, tensor) in weights)
        {
            if (!plain.TryAdd(names[name], tensor) && !(IsSaved(names[name]) && IsSame(plain[names[name]], tensor)))
                throw ConfigException.At(source, $"'{name}' is there twice, as '{names[name]}' in another wrapping; keep one.");
        }

        return plain;

        bool IsSaved(string own) => names.Any(n => n.Value == own && n.Key.Contains(Saved, StringComparison.Ordinal));
    }

    /// <summary>HF PEFT writes the bias of a saved module twice where <c>bias</c> is <c>all</c>.</summary>
    private static bool IsSame(Tensor one, Tensor other) => one.Type == other.Type
        && one.Dims.SequenceEqual(other.Dims)
        && one.ToFloat32().AsSpan().SequenceEqual(other.ToFloat32());

    private static string Plain(string name)
    {
        foreach (var part in Anywhere)
            name = name.Replace(part, "", StringComparison.Ordinal);
        if (name.StartsWith(Parallel, StringComparison.Ordinal))
            name = name[Parallel.Length..];
        if (name.StartsWith(HfName.Root + Parallel, StringComparison.Ordinal))
            name = HfName.Root + name[(HfName.Root.Length + Parallel.Length)..];
        if (name.Contains(OfLibrary, StringComparison.Ordinal))
            return name;
        name = name.Replace($"{Adapter}.", ".", StringComparison.Ordinal)
            .Replace(Saved, ".", StringComparison.Ordinal);
        return name.EndsWith(Adapter, StringComparison.Ordinal) ? name[..^Adapter.Length] : name;
    }
}
