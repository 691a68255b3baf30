using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Lycoris;
using OrtPeft.Adapters.Modules;
using OrtPeft.Adapters.Vera;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Inspection;

/// <summary>
/// An adapter as its files have it, whatever its base is. Opening reads the configuration and the weights' header;
/// weights stay in the mapped file until touched. Immutable and thread-safe.
/// </summary>
public sealed class StoredAdapter
{
    private StoredAdapter(string folder, PeftConfig config, IReadOnlyDictionary<string, Tensor> tensors, long bytes)
    {
        Folder = folder;
        Config = config;
        Tensors = tensors;
        Bytes = bytes;
    }

    /// <summary>The folder, as it was given.</summary>
    public string Folder { get; }

    /// <summary>The configuration, checked.</summary>
    public PeftConfig Config { get; }

    /// <summary>The tensors by HF PEFT's names, in the order of the file.</summary>
    public IReadOnlyDictionary<string, Tensor> Tensors { get; }

    /// <summary>The size of both files together. Bytes.</summary>
    public long Bytes { get; }

    /// <summary>How many numbers the weights' file holds.</summary>
    public long ParameterCount => Tensors.Values.Sum(static t => t.Count);

    /// <summary>The rank r; null for methods without one. Single modules may have another.</summary>
    public int? Rank => Config switch
    {
        LoraConfig lora => lora.R,
        LycorisConfig lycoris => lycoris.R,
        VeraConfig vera => vera.R,
        _ => null,
    };

    /// <summary>The scaling's numerator alpha; null for methods without one.</summary>
    public double? Alpha => Config switch
    {
        LoraConfig lora => lora.LoraAlpha,
        LycorisConfig lycoris => lycoris.Alpha,
        _ => null,
    };

    /// <summary>The adapted modules, as the configuration names them; null where it leaves that to the method.</summary>
    public ModuleTargets? Targets => (Config as TargetedConfig)?.TargetModules;

    /// <summary>Opens an adapter.</summary>
    /// <param name="folder">Holds <see cref="AdapterFolder.ConfigFile"/> and the weights.</param>
    /// <returns>The adapter.</returns>
    /// <exception cref="ConfigException">A file is missing, or the configuration cannot be used.</exception>
    /// <exception cref="OnnxFormatException">The weights' file is damaged.</exception>
    public static StoredAdapter Open(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        var config = AdapterFolder.LoadConfig(folder);
        var file = AdapterFolder.WeightsIn(folder);
        var tensors = WrappedNames.Plain(AdapterFolder.LoadWeights(folder), file);
        var bytes = LengthOf(Path.Combine(folder, AdapterFolder.ConfigFile)) + LengthOf(file);
        return new StoredAdapter(folder, config, tensors, bytes);
    }

    /// <summary>The length of what a link leads to, as opposed to its own.</summary>
    private static long LengthOf(string file)
    {
        using var handle = File.OpenHandle(file);
        return RandomAccess.GetLength(handle);
    }
}
