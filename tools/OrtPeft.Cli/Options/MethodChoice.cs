using OrtPeft.Adapters;
using OrtPeft.Cli.Errors;
using OrtPeft.Onnx;

namespace OrtPeft.Cli.Options;

/// <summary>The method that the user chose.</summary>
/// <param name="Origin">Where the configuration came from, for messages: a file, or options.</param>
/// <param name="Config">Its configuration.</param>
/// <param name="WeightsFolder">The adapter to start from, or null for fresh weights.</param>
internal sealed record MethodChoice(string Origin, PeftConfig Config, string? WeightsFolder)
{
    /// <summary>Puts the adapter on a base.</summary>
    public PeftModel Apply(Model baseModel, long seed)
    {
        if (WeightsFolder is null)
            return Blame.On(Origin, () => PeftModel.Create(baseModel, Config, seed));
        var weights = AdapterFolder.LoadWeights(WeightsFolder);
        var model = Blame.On(Origin, () => PeftModel.Create(baseModel, Config.FittedTo([.. weights.Keys]), seed));
        model.SetWeights(weights, Path.Combine(WeightsFolder, AdapterFolder.WeightsFile));
        return model;
    }

    /// <summary>The same choice, with the base's name in the configuration.</summary>
    public MethodChoice For(string baseModelName) =>
        this with { Config = Config with { BaseModelNameOrPath = baseModelName } };
}
