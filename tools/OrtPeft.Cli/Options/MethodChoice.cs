using OrtPeft.Adapters;
using OrtPeft.Onnx;

namespace OrtPeft.Cli.Options;

/// <summary>The method that the user chose.</summary>
/// <param name="Config">Its configuration.</param>
/// <param name="WeightsFolder">The adapter to start from, or null for fresh weights.</param>
internal sealed record MethodChoice(PeftConfig Config, string? WeightsFolder)
{
    /// <summary>Puts the adapter on a base.</summary>
    public PeftModel Apply(Model baseModel, long seed)
    {
        var model = PeftModel.Create(baseModel, Config, seed);
        if (WeightsFolder is not null)
            model.SetWeights(AdapterFolder.LoadWeights(WeightsFolder), Path.Combine(WeightsFolder, AdapterFolder.WeightsFile));
        return model;
    }
}
