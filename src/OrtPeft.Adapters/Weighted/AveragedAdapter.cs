using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Weighted;

/// <summary>An adapter that goes into an average.</summary>
/// <param name="Name">What messages call it.</param>
/// <param name="Config">Its configuration.</param>
/// <param name="Weights">Its tensors by name, as its file has them.</param>
/// <param name="Weight">Its share, 0 or more, such as the number of rows that it learned from; shares are divided by their
/// sum.</param>
public sealed record AveragedAdapter(
    string Name, PeftConfig Config, IReadOnlyDictionary<string, Tensor> Weights, double Weight);
