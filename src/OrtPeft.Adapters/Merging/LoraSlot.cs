namespace OrtPeft.Adapters.Merging;

/// <summary>The slots of one product.</summary>
/// <param name="InputOfA">The graph's input [slots, in, r].</param>
/// <param name="InputOfB">The graph's input [slots, r, width].</param>
/// <param name="Site">The product.</param>
internal sealed record LoraSlot(string InputOfA, string InputOfB, LoraSite Site);
