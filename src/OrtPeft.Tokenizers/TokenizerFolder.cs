using OrtPeft.Tokenizers.SentencePiece;
using OrtPeft.Tokenizers.Serialization;
using OrtPeft.Tokenizers.Tiktoken;

namespace OrtPeft.Tokenizers;

/// <summary>Finds the tokenizer in a model folder, in whichever of the usual file sets it is there.</summary>
public static class TokenizerFolder
{
    /// <summary>
    /// Loads <c>tokenizer.json</c>, else <c>vocab.json</c> with <c>merges.txt</c>, else OpenAI's <c>encoder.json</c> with
    /// <c>vocab.bpe</c>, else a SentencePiece model (<c>tokenizer.model</c>, <c>spiece.model</c>,
    /// <c>sentencepiece.bpe.model</c>), a tiktoken file (<c>tokenizer.model</c>, <c>qwen.tiktoken</c>) or BERT's
    /// <c>vocab.txt</c>. The end of text comes from <c>tokenizer_config.json</c> or <c>special_tokens_map.json</c> beside
    /// them, else it is <c>&lt;|endoftext|&gt;</c> where that is a token.
    /// </summary>
    /// <param name="path">A folder, or a <c>tokenizer.json</c> of any name.</param>
    /// <returns>A <see cref="ByteLevelBpe"/> for GPT-2's, Llama 3's, SmolLM2's and Qwen2's kind; else a
    /// <see cref="PipelineTokenizer"/>.</returns>
    /// <exception cref="TokenizerFormatException">
    /// No tokenizer is there, a file contradicts itself, or it names a component that is not known.
    /// </exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static ITokenizer Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var isFile = File.Exists(path);
        var folder = isFile ? Path.GetDirectoryName(path) ?? "" : path;
        var tokenizerJson = isFile ? path : Path.Combine(folder, FileNames.TokenizerJson);
        var config = TokenizerConfig.Read(folder);
        if (File.Exists(tokenizerJson))
            return TokenizerJsonReader.Read(tokenizerJson, config);

        if (FindPair(folder) is not var (vocabulary, merges))
            return ReadOther(folder, config);
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
            || (HasFile(FileNames.OpenAiVocabulary) && HasFile(FileNames.OpenAiMerges))
            || HasFile(FileNames.WordPieces)
            || FileNames.Models.Any(HasFile);

        bool HasFile(string name) => File.Exists(Path.Combine(path, name));
    }

    private static (string Vocabulary, string Merges)? FindPair(string folder)
    {
        string[] names = [FileNames.Vocabulary, FileNames.OpenAiVocabulary, FileNames.Merges, FileNames.OpenAiMerges];
        string[] found = [.. names.Where(name => File.Exists(Path.Combine(folder, name)))];
        var vocabulary = found.FirstOrDefault(static n => n.EndsWith(".json", StringComparison.Ordinal));
        var merges = found.FirstOrDefault(static n => !n.EndsWith(".json", StringComparison.Ordinal));
        if (vocabulary is not null && merges is not null)
            return (Path.Combine(folder, vocabulary), Path.Combine(folder, merges));
        var isOther = FileNames.Models.Append(FileNames.WordPieces).Any(name => File.Exists(Path.Combine(folder, name)));
        if (isOther)
            return null;
        var there = found.Length == 0 ? "no tokenizer is there" : $"{found[0]} is there alone";
        var others = string.Join(", ", FileNames.Models.Append(FileNames.WordPieces));
        throw new TokenizerFormatException(
            folder,
            "files",
            $"{there}; expected {FileNames.TokenizerJson}, {FileNames.Vocabulary} with {FileNames.Merges}, or {others}");
    }

    private static PipelineTokenizer ReadOther(string folder, TokenizerConfig config)
    {
        var name = FileNames.Models.Append(FileNames.WordPieces).First(n => File.Exists(Path.Combine(folder, n)));
        var file = Path.Combine(folder, name);
        if (name == FileNames.WordPieces)
            return WordPieceFileReader.Read(file, config);
        var bytes = TextFile.ReadBytes(file);
        return TiktokenReader.Fits(bytes)
            ? TiktokenReader.Read(file, bytes, config)
            : SentencePieceReader.Read(file, bytes, config);
    }
}
