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
            if (!plain.TryAdd(names[name], tensor))
                throw ConfigException.At(source, $"'{name}' is there twice, as '{names[name]}' in another wrapping; keep one.");
        }

        return plain;
    }

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
        name = name.Replace($".modules_to_save{Adapter}.", ".", StringComparison.Ordinal)
            .Replace($"{Adapter}.", ".", StringComparison.Ordinal);
        return name.EndsWith(Adapter, StringComparison.Ordinal) ? name[..^Adapter.Length] : name;
    }
}
