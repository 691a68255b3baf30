namespace OrtPeft.Adapters.Merging;

/// <summary>An adapter's A [in, r] and s·B [r, width] by the place of their <see cref="LoraSlot"/>; products that it does
/// not adapt are not there.</summary>
/// <param name="Stacks">The factors, row-major.</param>
internal sealed record LoraFactorsOfSlots(IReadOnlyDictionary<int, (float[] Down, float[] Up, int Rank)> Stacks);
