using OrtPeft.Tokenizers.Unicode;

namespace OrtPeft.Tokenizers.Models;

/// <summary>The most probable way to make up a piece of tokens that have a log probability each.</summary>
/// <seealso href="https://arxiv.org/abs/1804.10959">Kudo 2018</seealso>
internal sealed class UnigramModel : ITokenModel
{
    /// <summary>How much less than the least probable token an unknown character counts.</summary>
    private const double UnknownPenalty = 10;

    private readonly Vocabulary _vocabulary;
    private readonly SourcePlace _place;
    private readonly double[] _scores;
    private readonly PrefixIndex _index;
    private readonly int? _unknown;
    private readonly ByteTokens? _bytes;
    private readonly double _unknownScore;
    private readonly bool _isSingle;

    /// <summary>Takes a vocabulary with a score for each id.</summary>
    public UnigramModel(Vocabulary vocabulary, double[] scores, UnigramSettings settings, SourcePlace place)
    {
        _vocabulary = vocabulary;
        _scores = scores;
        _unknown = settings.Unknown;
        _isSingle = settings.IsSingle;
        _place = place;
        _index = new PrefixIndex(vocabulary.Ids.Where(static token => token.Key.Length > 0));
        _bytes = settings.FallsBackToBytes ? new ByteTokens(vocabulary) : null;
        _unknownScore = settings.LowestScore - UnknownPenalty;
    }

    public int Size => _vocabulary.Size;

    public void Encode(string piece, List<TokenLength> output)
    {
        var path = BestPath(piece);
        var ends = new List<int>();
        // Neighbouring unknown characters are one; from the end, each stretch begins where its last part does.
        for (var end = piece.Length; end > 0;)
        {
            ends.Add(end);
            var start = path[end].Start;
            while (start > 0 && path[end].Id == _unknown && path[start].Id == _unknown)
                start = path[start].Start;
            end = start;
        }

        var from = 0;
        for (var i = ends.Count - 1; i >= 0; i--)
        {
            Add(piece.AsSpan(from, ends[i] - from), output);
            from = ends[i];
        }
    }

    public int? Find(string token) => _vocabulary.FindAny(token);

    public string? Spelling(int id) => _vocabulary.Spelling(id);

    /// <summary>For each end, where the best last token begins and which it is.</summary>
    private (int Start, int Id)[] BestPath(string piece)
    {
        var path = new (int Start, int Id)[piece.Length + 1];
        var best = new double[piece.Length + 1];
        Array.Fill(path, (-1, 0));
        var found = new List<TokenLength>();
        for (int start = 0, width; start < piece.Length; start += width)
        {
            CodePoints.At(piece, start, out width);
            _index.FindAll(piece.AsSpan(start), found);
            foreach (var token in found)
                Offer(start, token.Length, token.Id, _scores[token.Id]);
            var first = width;
            if (!found.Exists(token => token.Length == first))
                Offer(start, width, _unknown ?? throw NoUnknown(piece), _unknownScore);
        }

        return path;

        void Offer(int start, int length, int id, double score)
        {
            var total = best[start] + score;
            var end = start + length;
            if (path[end].Start >= 0 && total <= best[end])
                return;
            best[end] = _isSingle ? (float)total : total;
            path[end] = (start, id);
        }
    }

    private void Add(ReadOnlySpan<char> text, List<TokenLength> output)
    {
        if (_vocabulary.Lookup.TryGetValue(text, out var id))
            output.Add(new TokenLength(id, text.Length));
        else if (_bytes is null || !_bytes.TryEncode(text, output))
            output.Add(new TokenLength(_unknown ?? throw NoUnknown(text.ToString()), text.Length));
    }

    private TokenizerFormatException NoUnknown(string text) => _place.Error(
        $"{TokenizerFormatException.Quote(text)} holds a character that no token has, and unk_id is not given; name one");
}
