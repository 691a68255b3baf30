using OrtPeft.Tokenizers.Alignment;

namespace OrtPeft.Tokenizers.Normalizers;

/// <summary>Changes a text before it is cut.</summary>
internal delegate AlignedText TextNormalizer(AlignedText text);
