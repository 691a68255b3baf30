namespace OrtPeft.Models.Building;

/// <summary>The lengths that a decoder's inputs and outputs have.</summary>
/// <param name="Layers">How many layers keep keys and values.</param>
/// <param name="CacheHeads">Heads of the keys and values; fewer than the queries' when groups share them.</param>
/// <param name="HeadSize">Elements per head.</param>
/// <param name="Vocabulary">How many logits a position has.</param>
internal readonly record struct DecoderSizes(int Layers, int CacheHeads, int HeadSize, int Vocabulary);
