namespace OrtPeft.Tokenizers.Serialization;

/// <summary>What the pre-tokenizer of a byte-level BPE does before merging.</summary>
/// <param name="AddsPrefixSpace">Whether a space is put before text that does not begin with one.</param>
/// <param name="Pattern">How text is cut into words; null leaves it whole.</param>
internal readonly record struct PreTokenizer(bool AddsPrefixSpace, WordPattern? Pattern);
