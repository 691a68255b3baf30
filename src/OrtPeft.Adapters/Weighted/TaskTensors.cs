namespace OrtPeft.Adapters.Weighted;

/// <summary>One tensor of every adapter that has it.</summary>
/// <param name="Name">The tensor's name, which random drops depend on.</param>
/// <param name="Vectors">The elements, adapter by adapter.</param>
/// <param name="Weights">One per adapter.</param>
/// <param name="How">What was asked for.</param>
internal sealed record TaskTensors(
    string Name, IReadOnlyList<double[]> Vectors, IReadOnlyList<double> Weights, WeightedCombination How);
