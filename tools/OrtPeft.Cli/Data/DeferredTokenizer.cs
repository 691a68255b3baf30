using OrtPeft.Tokenizers;

namespace OrtPeft.Cli.Data;

/// <summary>
/// A folder's tokenizer, loaded when text first needs it: rows of token ids work beside one that cannot be read.
/// </summary>
internal sealed class DeferredTokenizer(string folder) : ITokenizer
{
    private readonly Lazy<ITokenizer> _loaded = new(() => TokenizerFolder.Load(folder));

    public int VocabularySize => _loaded.Value.VocabularySize;

    public int? EndOfTextId => _loaded.Value.EndOfTextId;

    public int? BeginOfTextId => _loaded.Value.BeginOfTextId;

    public TextFrame Frame => _loaded.Value.Frame;

    public bool HasFixedBytes => _loaded.Value.HasFixedBytes;

    public IReadOnlyList<int> Encode(ReadOnlySpan<char> text) => _loaded.Value.Encode(text);

    public IReadOnlyList<int> Encode(ReadOnlySpan<char> text, SpecialTokenHandling handling) =>
        _loaded.Value.Encode(text, handling);

    public IReadOnlyList<int> EncodeContinuation(ReadOnlySpan<char> text) => _loaded.Value.EncodeContinuation(text);

    public string Decode(IEnumerable<int> ids) => _loaded.Value.Decode(ids);

    public ReadOnlySpan<byte> GetBytes(int id) => _loaded.Value.GetBytes(id);

    public bool IsSpecial(int id) => _loaded.Value.IsSpecial(id);

    public string SpellingOf(int id) => _loaded.Value.SpellingOf(id);
}
