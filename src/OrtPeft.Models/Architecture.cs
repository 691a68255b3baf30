using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Models;

/// <summary>Everything a checkpoint and a graph of one model have to agree on. Immutable and thread-safe.</summary>
public sealed class Architecture
{
    /// <summary>The model's description.</summary>
    public required ModelConfig Config { get; init; }

    /// <summary>The weights, tied ones once, in the order in which the model uses them.</summary>
    public required IReadOnlyList<WeightSpec> Weights { get; init; }

    /// <summary>The prefix of weight names, which some checkpoints leave out: <c>transformer.</c> for GPT-2.</summary>
    public required string Prefix { get; init; }

    /// <summary>
    /// Names that checkpoints may hold besides the weights that they repeat, and those weights' names.
    /// </summary>
    public required IReadOnlyDictionary<string, string> TiedWeights { get; init; }

    /// <summary>
    /// Whether a tensor, named without the prefix, is not a weight but a constant that old versions saved.
    /// </summary>
    public required Predicate<string> IsBuffer { get; init; }

    /// <summary>The beginnings of weights' names, and those that the same may have in checkpoints.</summary>
    internal IReadOnlyList<(string Name, string InFiles)> OldNames { get; init; } = [];

    /// <summary>How many numbers the model learned, tied weights counted once.</summary>
    public long ParameterCount => Weights.Sum(static w => w.Count);

    /// <summary>Builds the graph over weights of the names in <see cref="Weights"/>.</summary>
    public required Func<IReadOnlyDictionary<string, Tensor>, Model> BuildGraph { private get; init; }

    /// <summary>
    /// Builds the model: Optimum's input and output names, standard operators of opset 21, HF's names on the weights.
    /// </summary>
    /// <param name="weights">float32 tensors by the names in <see cref="Weights"/>; shared, not copied.</param>
    /// <returns>The model, with the family's name and whether head and embedding are one in its
    /// metadata.</returns>
    /// <exception cref="ArgumentException">A weight is missing, or has another shape or type.</exception>
    public Model Build(IReadOnlyDictionary<string, Tensor> weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        foreach (var spec in Weights)
        {
            if (!weights.TryGetValue(spec.Name, out var tensor))
                throw new ArgumentException($"The weight '{spec.Name}' is missing.", nameof(weights));
            if (tensor.Type != ElementType.Float || !tensor.Shape.Equals(spec.Shape))
                throw new ArgumentException($"'{spec.Name}' is {tensor}, not Float{spec.Shape}.", nameof(weights));
        }

        var model = BuildGraph(weights);
        model.ProducerName = "OrtPeft";
        model.ProducerVersion = typeof(Architecture).Assembly.GetName().Version!.ToString(3);
        model.Metadata[MetadataKeys.ModelType] = Config.ModelType;
        model.Metadata[MetadataKeys.TieWordEmbeddings] = Config.TieWordEmbeddings ? "true" : "false";
        return model;
    }
}
