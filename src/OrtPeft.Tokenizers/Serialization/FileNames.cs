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

    /// <summary>BERT's vocabulary, a token a line.</summary>
    public const string WordPieces = "vocab.txt";

    /// <summary>Beside a tiktoken file: its pattern and special tokens.</summary>
    public const string TiktokenAbout = "about.json";

    /// <summary>The names of SentencePiece's models, a protobuf message each, and of Qwen's tiktoken file; the first
    /// may be tiktoken's too.</summary>
    public static IReadOnlyList<string> Models { get; } =
        ["tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "qwen.tiktoken"];

    public const string Gpt2EndOfText = "<|endoftext|>";
}
