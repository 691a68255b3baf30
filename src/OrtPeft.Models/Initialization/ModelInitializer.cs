using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Models.Initialization;

/// <summary>
/// New models with random weights, initialised as HF does. The numbers follow from the seed and the weights' names, on
/// any machine and with any number of threads.
/// </summary>
public static class ModelInitializer
{
    /// <summary>Makes a new model's weights; they are computed whenever they are read.</summary>
    /// <param name="config">The model's description.</param>
    /// <param name="seed">Where the random numbers start.</param>
    /// <returns>float32 tensors by HF's names.</returns>
    /// <exception cref="ModelConfigException">A field has a value that is not allowed.</exception>
    public static IReadOnlyDictionary<string, Tensor> CreateWeights(ModelConfig config, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(config);
        var weights = new OrderedDictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var spec in config.ToArchitecture().Weights)
        {
            var dims = spec.Shape.ToStatic()!.Value;
            weights.Add(spec.Name, new Tensor(ElementType.Float, dims, new RandomTensorData(spec, seed), spec.Name));
        }

        return weights;
    }

    /// <summary>
    /// Writes a new model as an HF folder: <c>config.json</c> and <c>model.safetensors</c>, one piece at a time.
    /// </summary>
    /// <param name="config">The model's description.</param>
    /// <param name="seed">Where the random numbers start.</param>
    /// <param name="folder">The folder to write, made when missing.</param>
    /// <exception cref="ModelConfigException">A field has a value that is not allowed.</exception>
    /// <exception cref="IOException">The disk is full or the folder cannot be written.</exception>
    public static void Write(ModelConfig config, ulong seed, string folder)
    {
        ArgumentNullException.ThrowIfNull(config);
        var weights = CreateWeights(config, seed);
        Directory.CreateDirectory(folder);
        SafetensorsFile.Save(
            Path.Combine(folder, SafetensorsCheckpoint.FileName),
            config.ToArchitecture().Weights.SelectMany(spec => spec.InCheckpoint(weights[spec.Name])),
            new Dictionary<string, string> { ["format"] = "pt" });
        AtomicFile.Write(Path.Combine(folder, ModelFamilies.ConfigFileName), config.ToJson());
    }
}
