using OrtPeft.Adapters;
using OrtPeft.Artifacts;
using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Artifacts;

/// <summary>Makes an adapter of what a device trained from an artifact folder.</summary>
public static class TrainedAdapter
{
    /// <summary>The tensors that belong to the adapter: what was trained, and what is saved with it.</summary>
    /// <param name="parameters">What came back; its other constants are the base's.</param>
    /// <param name="config">How the adapter is configured.</param>
    /// <returns>
    /// Tensors by name; what files hold unless <see cref="PeftConfig.WhyBaseIsNeeded"/> says otherwise of them.
    /// </returns>
    /// <exception cref="ConfigException">
    /// A tensor that is saved with the adapter is at hand nowhere, or the run diverged: a number is not finite.
    /// </exception>
    public static IReadOnlyDictionary<string, Tensor> Weights(TrainedParameters parameters, PeftConfig config)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentNullException.ThrowIfNull(config);
        if (parameters.Trained.FirstOrDefault(static t => !FiniteNumbers.Are(t.Value)) is { Key: { } name } diverged)
        {
            throw new ConfigException(
                $"'{name}' {diverged.Value.Shape} holds numbers that are not finite: the run diverged; take an earlier "
                + "checkpoint, or train again with a lower learning rate.");
        }

        var weights = new OrderedDictionary<string, Tensor>(parameters.Trained, StringComparer.Ordinal);
        foreach (var saved in config.SavedConstants)
        {
            if (parameters.Constants.TryGetValue(saved, out var constant))
                weights.TryAdd(saved, constant);
        }

        _ = config.FittedTo([.. weights.Keys]);
        return weights;
    }

    /// <summary>Puts what was trained on the base, ready to be saved or merged.</summary>
    /// <param name="baseModel">The model that was adapted; not changed.</param>
    /// <param name="parameters">What came back.</param>
    /// <param name="config">How the adapter is configured.</param>
    /// <returns>The adapted model.</returns>
    /// <exception cref="ConfigException">The parameters do not fit the model.</exception>
    public static PeftModel On(Model baseModel, TrainedParameters parameters, PeftConfig config)
    {
        var weights = Weights(parameters, config);
        return PeftModel.Create(baseModel, config, weights, parameters.Source);
    }
}
