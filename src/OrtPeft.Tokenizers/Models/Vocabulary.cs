namespace OrtPeft.Tokenizers.Models;

/// <summary>Tokens by id and ids by token. Immutable.</summary>
internal sealed class Vocabulary
{
    private readonly string?[] _spellings;
    private readonly Dictionary<string, int> _ids;
    private readonly Dictionary<string, int> _reserved = new(StringComparer.Ordinal);

    private Vocabulary(string?[] spellings, Dictionary<string, int> ids)
    {
        _spellings = spellings;
        _ids = ids;
        LongestToken = ids.Count == 0 ? 0 : ids.Keys.Max(static token => token.Length);
        Lookup = ids.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    public int Size => _spellings.Length;

    /// <summary>In UTF-16 units.</summary>
    public int LongestToken { get; }

    public IReadOnlyDictionary<string, int> Ids => _ids;

    public Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> Lookup { get; }

    /// <summary>Takes tokens with their ids; the later of two equal tokens counts.</summary>
    /// <exception cref="TokenizerFormatException">An id lies outside the range of ids, or there are no tokens.</exception>
    public static Vocabulary Of(IEnumerable<(string Token, int Id)> tokens, SourcePlace place)
    {
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        var highest = -1;
        foreach (var (token, id) in tokens)
        {
            if (id is < 0 or >= BpeModelBuilder.IdLimit)
            {
                var quoted = TokenizerFormatException.Quote(token);
                throw place.Error($"{quoted} has id {id}; ids are 0..{BpeModelBuilder.IdLimit - 1}");
            }

            ids[token] = id;
            highest = Math.Max(highest, id);
        }

        if (ids.Count == 0)
            throw place.Error("the vocabulary is empty; restore the file");
        var spellings = new string?[highest + 1];
        foreach (var (token, id) in ids)
            spellings[id] = token;
        return new Vocabulary(spellings, ids);
    }

    /// <summary>The id of a token that text can become.</summary>
    public int? Find(string token) => _ids.TryGetValue(token, out var id) ? id : null;

    /// <summary>The id of a token, of those too that no text becomes.</summary>
    public int? FindAny(string token) => Find(token) ?? (_reserved.TryGetValue(token, out var id) ? id : null);

    /// <summary>The same with tokens that no text becomes; their ids lie within the others' or right above.</summary>
    public Vocabulary WithReserved(IEnumerable<(string Token, int Id)> tokens)
    {
        (string Token, int Id)[] reserved = [.. tokens];
        var spellings = new string?[Math.Max(Size, reserved.Select(static t => t.Id + 1).DefaultIfEmpty().Max())];
        _spellings.CopyTo(spellings, 0);
        var vocabulary = new Vocabulary(spellings, _ids);
        foreach (var (token, id) in reserved)
        {
            spellings[id] = token;
            vocabulary._reserved.TryAdd(token, id);
        }

        return vocabulary;
    }

    public string? Spelling(int id) => (uint)id < (uint)_spellings.Length ? _spellings[id] : null;
}
