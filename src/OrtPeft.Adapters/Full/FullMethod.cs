using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Quantization;

namespace OrtPeft.Adapters.Full;

/// <summary>
/// Full fine-tuning. A weight that stands once in the graph and is read twice (tied embeddings) stays one.
/// </summary>
internal sealed class FullMethod : IPeftMethod
{
    /// <inheritdoc/>
    public MethodDescription Description { get; } = new()
    {
        Name = "full",
        PeftType = "FULL",
        Title = "full fine-tuning",
        Trains = "every weight; tied ones stay tied",
        IsInHfPeft = false,
    };

    /// <inheritdoc/>
    public PeftConfig ReadConfig(ConfigFields fields) => FullConfig.FromFields(fields);

    /// <inheritdoc/>
    public Injection Inject(Model model, PeftConfig config, long seed)
    {
        ArgumentNullException.ThrowIfNull(model);
        var quantized = model.Graph.Nodes.FirstOrDefault(static n => QuantizedWeight.Find(n.Output) is not null);
        if (quantized is not null)
            throw new ConfigException(
                $"Full fine-tuning trains float weights, and '{quantized.Output.Name}' is quantised; use the float "
                + "model, or a method that adds weights, such as lora.");
        var parameters = WeightCatalogue.Weights(model.Graph).Where(static v => v.Uses.Count > 0)
            .Select(static v => new AdapterParameter(v.Name, v)).ToList();
        return new Injection(config, parameters) { Merge = Counterparts.FoldingOf(parameters) };
    }
}
