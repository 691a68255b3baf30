namespace OrtPeft.Tokenizers.Training;

/// <summary>One pair of neighbours while merges are learned.</summary>
internal sealed class PairStatistics(int left, int right)
{
    private readonly List<int> _words = [];

    public int Left => left;

    public int Right => right;

    /// <summary>Occurrences in all texts now.</summary>
    public long Count { get; set; }

    /// <summary>Every word the pair is in, and perhaps words it is in no more.</summary>
    public IReadOnlyList<int> Words => _words;

    public void AddWord(int word)
    {
        if (_words.Count == 0 || _words[^1] != word)
            _words.Add(word);
    }
}
