namespace OrtPeft.Tokenizers.Decoders;

/// <summary>One step from the spellings of tokens to text; the results of the last step are joined.</summary>
internal delegate List<string> TokenDecoder(List<string> tokens);
