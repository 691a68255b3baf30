using OrtPeft.Tokenizers.Serialization;

namespace OrtPeft.Tokenizers;

/// <summary>Finds the tokenizer in a model folder, in whichever of the usual file sets it is there.</summary>
public static class TokenizerFolder
{
    /// <summary>
    /// Loads <c>tokenizer.json</c>, else <c>vocab.json</c> with <c>merges.txt</c>, else OpenAI's <c>encoder.json</c>
    /// with <c>vocab.bpe</c>. The end of text comes from <c>tokenizer_config.json</c> or
    /// <c>special_tokens_map.json</c> beside them, else it is <c>&lt;|endoftext|&gt;</c> where that is a token.
    /// </summary>
    /// <param name="path">A folder, or a <c>tokenizer.json</c> of any name.</param>
    /// <exception cref="TokenizerFormatException">
    /// No tokenizer is there, a file contradicts itself, or it is no byte-level BPE as in GPT-2, Llama 3 or
    /// Qwen2.
    /// </exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static ByteLevelBpe Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        bool isFile = File.Exists(path);
        string folder = isFile ? Path.GetDirectoryName(path) ?? "" : path;
        string tokenizerJson = isFile ? path : Path.Combine(folder, FileNames.TokenizerJson);
        TokenizerConfig config = TokenizerConfig.Read(folder);
        if (File.Exists(tokenizerJson))
            return new ByteLevelBpe(TokenizerJsonReader.Read(tokenizerJson, config));

        (string vocabulary, string merges) = FindPair(folder);
        return new ByteLevelBpe(VocabularyFilesReader.Read(vocabulary, merges, config));
    }

    /// <summary>Whether a folder has the files that <see cref="Load"/> reads; they are not opened.</summary>
    /// <param name="path">A folder.</param>
    /// <returns>True when a tokenizer is there, whether or not it can be used.</returns>
    public static bool Holds(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return HasFile(FileNames.TokenizerJson)
            || (HasFile(FileNames.Vocabulary) && HasFile(FileNames.Merges))
            || (HasFile(FileNames.OpenAiVocabulary) && HasFile(FileNames.OpenAiMerges));

        bool HasFile(string name) => File.Exists(Path.Combine(path, name));
    }

    private static (string Vocabulary, string Merges) FindPair(string folder)
    {
        string[] names = [FileNames.Vocabulary, FileNames.OpenAiVocabulary, FileNames.Merges, FileNames.OpenAiMerges];
        string[] found = [.. names.Where(name => File.Exists(Path.Combine(folder, name)))];
        string? vocabulary = found.FirstOrDefault(static n => n.EndsWith(".json", StringComparison.Ordinal));
        string? merges = found.FirstOrDefault(static n => !n.EndsWith(".json", StringComparison.Ordinal));
        if (vocabulary is not null && merges is not null)
            return (Path.Combine(folder, vocabulary), Path.Combine(folder, merges));

        bool isSentencePiece = found.Length == 0 && File.Exists(Path.Combine(folder, FileNames.SentencePiece));
        string none = isSentencePiece
            ? $"{FileNames.SentencePiece} is SentencePiece's, which is not read (rows of input_ids need no tokenizer)"
            : "no tokenizer is there";
        string there = found.Length == 0 ? none : $"{found[0]} is there alone";
        string wanted = $"expected {FileNames.TokenizerJson}, or {FileNames.Vocabulary} with {FileNames.Merges}";
        throw new TokenizerFormatException(folder, "files", $"{there}; {wanted}");
    }
}
