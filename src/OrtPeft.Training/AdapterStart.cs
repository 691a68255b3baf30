using OrtPeft.Adapters;
using OrtPeft.Adapters.Lora;
using OrtPeft.Onnx;
using OrtPeft.Training.Data;
using OrtPeft.Training.Eva;

namespace OrtPeft.Training;

/// <summary>Puts fresh adapters on bases, whatever their first weights are made from.</summary>
internal static class AdapterStart
{
    /// <summary>Puts a fresh adapter on a base.</summary>
    /// <param name="baseModel">The base; not changed.</param>
    /// <param name="config">Which method, and how; one that needs a text's tokens has them already.</param>
    /// <param name="rows">The rows to start from; asked for only where the configuration needs them.</param>
    /// <param name="arguments">How the adapter is going to be trained.</param>
    /// <param name="cancellation">Stops reading the rows.</param>
    /// <returns>The adapted model.</returns>
    /// <exception cref="ConfigException">The configuration does not fit, or there are too few rows.</exception>
    public static PeftModel Create(
        Model baseModel,
        PeftConfig config,
        Func<IDataset> rows,
        TrainingArguments arguments,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(arguments);
        return PeftMethods.Of(config).NeedsOf(config).RowStart is null
            ? PeftModel.Create(baseModel, config, arguments.Seed)
            : EvaInitialisation.Create(
                baseModel,
                (LoraConfig)config,
                rows(),
                arguments.BatchSize,
                arguments.Seed,
                arguments.Runtime,
                cancellation);
    }
}
