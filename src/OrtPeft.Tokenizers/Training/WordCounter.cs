namespace OrtPeft.Tokenizers.Training;

/// <summary>Counts the words of texts, which is all that learning merges needs to know of them.</summary>
internal sealed class WordCounter
{
    /// <summary>
    /// UTF-16 units. Longer words, such as encoded binary data, are counted in pieces of this length: each merge looks
    /// through the words it occurs in, so unbounded ones would take quadratic time.
    /// </summary>
    private const int LongestWord = 128;

    private readonly Dictionary<string, long> _counts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private readonly AddedTokenSplitter _specialTokens;

    public WordCounter(IReadOnlyList<string> specialTokens)
    {
        _lookup = _counts.GetAlternateLookup<ReadOnlySpan<char>>();
        AddedToken[] tokens = [.. specialTokens.Select(static content => new AddedToken { Content = content, Id = 0 })];
        _specialTokens = new AddedTokenSplitter(tokens);
    }

    public long TextCount { get; private set; }

    public IReadOnlyDictionary<string, long> Words => _counts;

    public void Add(string text)
    {
        TextCount++;
        foreach (var segment in _specialTokens.Split(text, SpecialTokenHandling.Recognize))
        {
            if (segment.TokenId is null)
                AddWords(text.AsSpan()[segment.Start..segment.End]);
        }
    }

    private void AddWords(ReadOnlySpan<char> text)
    {
        while (!text.IsEmpty)
        {
            var length = Gpt2Pattern.MatchLength(text);
            AddWord(text[..length]);
            text = text[length..];
        }
    }

    private void AddWord(ReadOnlySpan<char> word)
    {
        while (word.Length > LongestWord)
        {
            var length = char.IsHighSurrogate(word[LongestWord - 1]) ? LongestWord - 1 : LongestWord;
            Count(word[..length]);
            word = word[length..];
        }

        Count(word);
    }

    private void Count(ReadOnlySpan<char> word)
    {
        _lookup.TryGetValue(word, out var count);
        _lookup[word] = count + 1;
    }
}
