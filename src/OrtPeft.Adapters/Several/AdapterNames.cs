using System.Buffers;

namespace OrtPeft.Adapters.Several;

/// <summary>The names that adapters may have, and those of their tensors beside other adapters'.</summary>
internal static class AdapterNames
{
    private const int Longest = 100;

    private static readonly string[] Ends = [".weight", ".bias"];

    private static readonly SearchValues<char> Signs = SearchValues.Create(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

    /// <summary>A name is a folder's name, and a part of tensors' names.</summary>
    /// <exception cref="ConfigException">The name is empty, too long, or has other signs.</exception>
    public static void Check(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name.Length is 0 or > Longest || name.AsSpan().ContainsAnyExcept(Signs))
            throw new ConfigException(
                $"'{name}' is not a name for an adapter; it must be 1 to {Longest} letters, digits, '_' or '-'.");
    }

    /// <summary>
    /// HF PEFT's name of a tensor in memory: <c>….lora_A.weight</c> of the adapter <c>chat</c> is
    /// <c>….lora_A.chat.weight</c>.
    /// </summary>
    public static string InMemory(string parameter, string adapter)
    {
        var end = Ends.FirstOrDefault(e => parameter.EndsWith(e, StringComparison.Ordinal)) ?? "";
        return $"{parameter[..^end.Length]}.{adapter}{end}";
    }
}
