namespace OrtPeft.Artifacts;

/// <summary>A number of an optimiser.</summary>
/// <param name="Key">Its name in checkpoints.</param>
/// <param name="Name">Its property.</param>
/// <param name="Value">The number, 0 or more.</param>
/// <param name="IsDecay">Whether it has to be below 1.</param>
/// <param name="IsAboveZero">Whether it may not be 0.</param>
internal readonly record struct OptimizerConstant(
    string Key, string Name, double Value, bool IsDecay = false, bool IsAboveZero = false);
