using System.Runtime.InteropServices;
using static OrtPeft.Tokenizers.TokenizerFormatException;

namespace OrtPeft.Tokenizers;

/// <summary>
/// Collects a vocabulary, merges and added tokens, in this order, and refuses whatever contradicts itself, so that
/// a built <see cref="BpeModel"/> needs no more checks.
/// </summary>
internal sealed class BpeModelBuilder
{
    /// <summary>Ids stay below this (4,194,304), over ten times the largest vocabularies in use.</summary>
    public const int IdLimit = 1 << 22;

    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly Dictionary<string, AddedToken> _added = new(StringComparer.Ordinal);
    private readonly Dictionary<int, string> _owners = [];
    private readonly List<MergeRule> _merges = [];

    public bool IsEmpty => _ids.Count == 0;

    public void AddToken(string token, int id, SourcePlace place)
    {
        Claim(id, token, place);
        if (!_ids.TryAdd(token, id))
            throw place.Error($"{Quote(token)} is listed twice; keep one of the entries");
    }

    /// <summary>Adds the merge of the next rank.</summary>
    public void AddMerge(string left, string right, SourcePlace place)
    {
        var leftId = FindMergePart(left, place);
        var rightId = FindMergePart(right, place);
        _merges.Add(new MergeRule(leftId, rightId, FindMergePart(left + right, place)));
    }

    /// <summary>Adds a literal token: one of the vocabulary's under its own id, or one beyond the vocabulary.</summary>
    public void AddAddedToken(AddedToken token, SourcePlace place)
    {
        if (token.Content.Length == 0)
            throw place.Error("an added token is empty; give it a text or remove it");
        if (_ids.TryGetValue(token.Content, out var id) && id != token.Id)
            throw place.Error($"{Quote(token.Content)} has id {token.Id} here, {id} in the vocabulary; keep one");
        if (!_added.TryAdd(token.Content, token))
            throw place.Error($"{Quote(token.Content)} is listed twice; keep one of the entries");
        Claim(token.Id, token.Content, place);
    }

    public bool HasAddedToken(string content) => _added.ContainsKey(content);

    /// <summary>The id of an added token's spelling or of a vocabulary string.</summary>
    public int? Find(string token)
    {
        if (_added.TryGetValue(token, out var added))
            return added.Id;
        return _ids.TryGetValue(token, out var id) ? id : null;
    }

    public BpeModel Build(BpeSettings settings, int? endOfTextId, TextFrame? frame = null)
    {
        var tokens = new string?[_owners.Count == 0 ? 0 : _owners.Keys.Max() + 1];
        foreach (var (token, id) in _ids)
            tokens[id] = token;
        return new BpeModel
        {
            Tokens = ImmutableCollectionsMarshal.AsImmutableArray(tokens),
            Ids = _ids,
            Merges = [.. _merges],
            AddedTokens = [.. _added.Values.OrderBy(static token => token.Id)],
            Settings = settings,
            EndOfTextId = endOfTextId,
            Frame = frame ?? TextFrame.None,
        };
    }

    private void Claim(int id, string token, SourcePlace place)
    {
        if (id is < 0 or >= IdLimit)
            throw place.Error($"{Quote(token)} has id {id}; ids are 0..{IdLimit - 1}");
        if (!_owners.TryAdd(id, token) && _owners[id] != token)
            throw place.Error($"{Quote(token)} and {Quote(_owners[id])} share id {id}; give each token its own");
    }

    private int FindMergePart(string token, SourcePlace place)
    {
        if (!_ids.TryGetValue(token, out var id))
            throw place.Error($"{Quote(token)} is not in the vocabulary; every merge joins two tokens into a third");
        if (ByteAlphabet.Read(token) is null)
            throw place.Error($"{Quote(token)} is not spelled in the byte alphabet; only byte-level BPE is supported");
        return id;
    }
}
