using System.Text;

namespace OrtPeft.Tokenizers.Training;

/// <summary>
/// Finds merges one after the other. Pair counts are kept up to date from merge to merge; the queue holds each pair
/// with a count at least its present one, so a pair that comes out with its present count is the most frequent.
/// </summary>
internal sealed class MergeLearner
{
    private readonly List<byte[]> _tokens = [];
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly int[] _byteIds = new int[256];
    private readonly HashSet<string> _reserved;
    private readonly int _minimumFrequency;
    private readonly List<TrainingWord> _words = [];
    private readonly Dictionary<(int Left, int Right), PairStatistics> _pairs = [];
    private readonly PriorityQueue<PairStatistics, PairPriority> _queue = new();
    private readonly HashSet<(int Left, int Right)> _known = [];
    private readonly List<(int Left, int Right)> _merges = [];

    public MergeLearner(IReadOnlyDictionary<string, long> words, BpeTrainerOptions options)
    {
        _minimumFrequency = options.MinimumFrequency;
        _reserved = new HashSet<string>(options.SpecialTokens, StringComparer.Ordinal);
        foreach (var b in ByteAlphabet.InIdOrder)
            _byteIds[b] = AddToken([b], ByteAlphabet.CharOf(b).ToString());
        foreach (var (word, count) in words)
            AddWord(word, count);
        foreach (var pair in _pairs.Values)
            Queue(pair);
    }

    public int TokenCount => _tokens.Count;

    /// <summary>In the order learned.</summary>
    public IReadOnlyList<(int Left, int Right)> Merges => _merges;

    public string SpellingOf(int id) => ByteAlphabet.Spell(_tokens[id]);

    /// <summary>Merges the most frequent pair. False when none is frequent enough.</summary>
    public bool TryMergeNext()
    {
        while (_queue.TryDequeue(out var pair, out var priority))
        {
            if (priority.Count != pair.Count)
            {
                Queue(pair);
                continue;
            }

            byte[] bytes = [.. _tokens[pair.Left], .. _tokens[pair.Right]];
            var spelling = ByteAlphabet.Spell(bytes);
            if (_reserved.Contains(spelling))
                continue;
            // "a"+"bc" and "ab"+"c" are two ways to one token.
            var merged = _ids.TryGetValue(spelling, out var id) ? id : AddToken(bytes, spelling);
            if (_known.Add((pair.Left, pair.Right)))
                _merges.Add((pair.Left, pair.Right));
            Replace(pair, merged);
            return true;
        }

        return false;
    }

    private int AddToken(byte[] bytes, string spelling)
    {
        _ids.Add(spelling, _tokens.Count);
        _tokens.Add(bytes);
        return _tokens.Count - 1;
    }

    private void AddWord(string text, long count)
    {
        int[] symbols = [.. Encoding.UTF8.GetBytes(text).Select(b => _byteIds[b])];
        var word = new TrainingWord(symbols, count);
        for (var i = 1; i < symbols.Length; i++)
        {
            var pair = Find(symbols[i - 1], symbols[i]);
            pair.Count += count;
            pair.AddWord(_words.Count);
        }

        _words.Add(word);
    }

    private void Replace(PairStatistics pair, int merged)
    {
        var grown = new HashSet<PairStatistics>();
        foreach (var index in pair.Words)
        {
            var word = _words[index];
            word.Merge(pair.Left, pair.Right, merged, (left, right, change) =>
            {
                var neighbour = Find(left, right);
                neighbour.Count += change * word.Count;
                if (change > 0)
                {
                    neighbour.AddWord(index);
                    grown.Add(neighbour);
                }
            });
        }
        // Its count was changed too, where it overlaps itself as in "aaa"; none is left now.
        pair.Count = 0;
        _pairs.Remove((pair.Left, pair.Right));
        foreach (var neighbour in grown)
            Queue(neighbour);
    }

    private PairStatistics Find(int left, int right)
    {
        if (!_pairs.TryGetValue((left, right), out var pair))
        {
            pair = new PairStatistics(left, right);
            _pairs.Add((left, right), pair);
        }

        return pair;
    }

    private void Queue(PairStatistics pair)
    {
        if (pair.Count >= _minimumFrequency)
            _queue.Enqueue(pair, new PairPriority(pair.Count, _tokens[pair.Left], _tokens[pair.Right]));
    }
}
