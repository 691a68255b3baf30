using OrtPeft.Tokenizers.Alignment;

namespace OrtPeft.Tokenizers.PreTokenizers;

/// <summary>Cuts a piece into smaller ones, in order; empty ones are dropped by the caller.</summary>
internal delegate IEnumerable<AlignedText> PieceSplitter(AlignedText piece);
