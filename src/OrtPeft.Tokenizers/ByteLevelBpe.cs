using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text;
using OrtPeft.Tokenizers.Normalizers;
using OrtPeft.Tokenizers.Serialization;
using OrtPeft.Tokenizers.Unicode;

namespace OrtPeft.Tokenizers;

/// <summary>
/// Byte-level BPE as GPT-2, Llama 3 and Qwen2 have it: any text splits into tokens and joins again to the same text,
/// with Qwen2 in normal form C. Made by <see cref="TokenizerFolder.Load"/>, <see cref="Training.BpeTrainer"/> or <see cref="OfBytes"/>.
/// </summary>
/// <remarks>
/// Immutable and thread-safe. Frequent words are remembered, up to about 20 MB. Unlike HF, an added token decodes
/// to its own spelling even where that contains letters of the byte alphabet, such as <c>é</c>.
/// </remarks>
/// <seealso href="https://github.com/openai/gpt-2/blob/master/src/encoder.py">The original implementation</seealso>
public sealed class ByteLevelBpe : ITokenizer
{
    private readonly BpeModel _model;
    private readonly TokenBytes _bytes;
    private readonly WordEncoder _words;
    private readonly AddedTokenSplitter _added;
    private readonly FrozenSet<int> _special;

    internal ByteLevelBpe(BpeModel model)
    {
        _model = model;
        _bytes = new TokenBytes(model);
        _words = new WordEncoder(model);
        _added = new AddedTokenSplitter(model.AddedTokens);
        _special = [.. model.AddedTokens.Where(static token => token.IsSpecial).Select(static token => token.Id)];
    }

    /// <summary>
    /// The smallest tokenizer: a token for each byte, in GPT-2's order, and one or two that stand around texts. It fits
    /// models that have not been trained yet.
    /// </summary>
    /// <param name="endOfTextId">The id of the token that ends a text; the bytes take the other ids from 0 on.</param>
    /// <param name="beginOfTextId">The id of another token, which is put before each text; null (default) for
    /// none.</param>
    /// <returns>The tokenizer. Any text takes as many tokens as it has bytes in UTF-8.</returns>
    /// <exception cref="TokenizerFormatException">An id is negative or too large, or both are equal.</exception>
    public static ByteLevelBpe OfBytes(int endOfTextId, int? beginOfTextId = null)
    {
        var place = new SourcePlace("bytes", "tokens");
        var builder = new BpeModelBuilder();
        var next = 0;
        foreach (var value in ByteAlphabet.InIdOrder)
        {
            while (next == endOfTextId || next == beginOfTextId)
                next++;
            builder.AddToken(ByteAlphabet.CharOf(value).ToString(), next++, place);
        }

        AddSpecial(beginOfTextId is null ? "<|endoftext|>" : "</s>", endOfTextId);
        if (beginOfTextId is { } id)
            AddSpecial("<s>", id);
        var frame = beginOfTextId is { } first ? new TextFrame([first], []) : null;
        return new ByteLevelBpe(builder.Build(new BpeSettings(), endOfTextId, frame));

        void AddSpecial(string content, int special)
        {
            builder.AddToken(content, special, place);
            builder.AddAddedToken(new AddedToken { Content = content, Id = special, IsSpecial = true }, place);
        }
    }

    /// <inheritdoc/>
    public int VocabularySize => _bytes.Count;

    /// <inheritdoc/>
    public int? EndOfTextId => _model.EndOfTextId;

    /// <inheritdoc/>
    public int? BeginOfTextId => Frame.Before is [var first, ..] ? first : null;

    /// <inheritdoc/>
    public TextFrame Frame => _model.Frame;

    /// <summary>The tokens matched literally in text, in id order; special tokens are among them.</summary>
    public ImmutableArray<AddedToken> AddedTokens => _model.AddedTokens;

    /// <inheritdoc/>
    public IReadOnlyList<int> Encode(ReadOnlySpan<char> text) => Encode(text, SpecialTokenHandling.Recognize);

    /// <inheritdoc/>
    /// <remarks>Time is O(n log n) at worst.</remarks>
    public IReadOnlyList<int> Encode(ReadOnlySpan<char> text, SpecialTokenHandling handling) =>
        Encode(text, handling, _model.Settings.AddsPrefixSpace);

    /// <inheritdoc/>
    public IReadOnlyList<int> EncodeContinuation(ReadOnlySpan<char> text) =>
        Encode(text, SpecialTokenHandling.Recognize, beginsWithSpace: false);

    /// <inheritdoc/>
    public string Decode(IEnumerable<int> ids)
    {
        ArgumentNullException.ThrowIfNull(ids);
        using var bytes = new MemoryStream();
        foreach (var id in ids)
            bytes.Write(GetBytes(id));
        return Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
    }

    /// <inheritdoc/>
    public ReadOnlySpan<byte> GetBytes(int id)
    {
        if ((uint)id >= (uint)_bytes.Count)
        {
            var message = $"Id {id} is outside the vocabulary of {_bytes.Count}; is this the model's own tokenizer?";
            throw new ArgumentOutOfRangeException(nameof(id), id, message);
        }

        return _bytes[id];
    }

    /// <inheritdoc/>
    public bool IsSpecial(int id) => _special.Contains(id);

    /// <inheritdoc/>
    public string SpellingOf(int id) =>
        GetBytes(id).IsEmpty ? "" : _model.SpellingOf(id);

    /// <summary>
    /// The id of a token as vocabulary files spell it (<c>Ġthe</c> for " the") or of an added token, or
    /// <see langword="null"/>. O(added tokens).
    /// </summary>
    public int? FindId(string token)
    {
        ArgumentNullException.ThrowIfNull(token);
        foreach (var added in _model.AddedTokens)
        {
            if (added.Content == token)
                return added.Id;
        }

        return _model.Ids.TryGetValue(token, out var id) ? id : null;
    }

    /// <summary>The names of the files that <see cref="Save"/> writes.</summary>
    public static IReadOnlyList<string> FilesOfSave => TokenizerFolderWriter.Files;

    /// <summary>
    /// Writes <c>tokenizer.json</c>, <c>vocab.json</c>, <c>merges.txt</c> and <c>tokenizer_config.json</c> as Hugging
    /// Face libraries read them. Each file appears whole or not at all; existing ones are replaced.
    /// </summary>
    /// <param name="folder">Created where missing.</param>
    /// <exception cref="IOException">The folder or a file cannot be written.</exception>
    public void Save(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        TokenizerFolderWriter.Write(_model, folder);
    }

    /// <summary>A space is put before every stretch between added tokens, as HF does; the first one's is the
    /// caller's choice.</summary>
    private List<int> Encode(ReadOnlySpan<char> text, SpecialTokenHandling handling, bool beginsWithSpace)
    {
        var ids = new List<int>(text.Length / 3);
        foreach (var segment in _added.Split(text, handling))
        {
            if (segment.TokenId is { } id)
                ids.Add(id);
            else
                EncodeOrdinary(text[segment.Start..segment.End], beginsWithSpace, ids);
            beginsWithSpace = _model.Settings.AddsPrefixSpace;
        }

        return ids;
    }

    private void EncodeOrdinary(ReadOnlySpan<char> text, bool beginsWithSpace, List<int> ids)
    {
        if (_model.Settings.Composes)
            text = Composed(text);
        if (beginsWithSpace && text[0] != ' ')
            text = string.Concat(" ", text);
        if (_model.Settings.Pattern is not { } pattern)
        {
            _words.Encode(text, ids);
            return;
        }

        while (!text.IsEmpty)
        {
            var length = pattern.MatchLength(text);
            _words.Encode(text[..length], ids);
            text = text[length..];
        }
    }

    /// <summary>Normal form C; lone surrogates, which it does not take, become U+FFFD first.</summary>
    private static ReadOnlySpan<char> Composed(ReadOnlySpan<char> text) => Ascii.IsValid(text)
        ? text
        : NormalForms.Apply(Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text.ToArray())), NormalForm.Composed);
}
