namespace OrtPeft.Models;

/// <summary>
/// The tensors that hold a weight in a checkpoint where it is not one tensor of its own name: one after the other
/// along the first axis, or along the first two.
/// </summary>
/// <param name="Names">Their names, in order.</param>
/// <param name="Dims">The axes of each.</param>
internal sealed record WeightSources(IReadOnlyList<string> Names, long[] Dims);
