namespace OrtPeft.Models.Building;

/// <summary>The inputs shared by the attention of all layers.</summary>
/// <param name="Attention">Masks and shapes.</param>
/// <param name="Rotary">Turns the heads of layers that see everything; null where none turn.</param>
/// <param name="LocalRotary">Turns those of layers with a window.</param>
internal sealed record SharedAttention(GroupedAttention Attention, RotaryHeads? Rotary, RotaryHeads? LocalRotary);
