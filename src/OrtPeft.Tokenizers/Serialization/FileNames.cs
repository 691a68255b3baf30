namespace OrtPeft.Tokenizers.Serialization;

/// <summary>Names that are fixed by the libraries that share these files.</summary>
internal static class FileNames
{
    public const string TokenizerJson = "tokenizer.json";
    public const string Vocabulary = "vocab.json";
    public const string Merges = "merges.txt";
    public const string Config = "tokenizer_config.json";
    public const string SpecialTokensMap = "special_tokens_map.json";
    public const string AddedTokens = "added_tokens.json";

    /// <summary>OpenAI's names for the vocabulary and the merges.</summary>
    public const string OpenAiVocabulary = "encoder.json";
    public const string OpenAiMerges = "vocab.bpe";

    /// <summary>Llama 1's and 2's tokenizer, a protobuf message.</summary>
    public const string SentencePiece = "tokenizer.model";

    public const string Gpt2EndOfText = "<|endoftext|>";
}
