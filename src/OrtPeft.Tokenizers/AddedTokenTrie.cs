using System.Buffers;

namespace OrtPeft.Tokenizers;

/// <summary>Finds the leftmost, and there the longest, added token in a text. Not changed once built.</summary>
internal sealed class AddedTokenTrie
{
    private readonly Dictionary<(int Node, char Next), int> _edges = [];
    private readonly List<AddedToken?> _tokenAt = [null];
    private readonly SearchValues<char> _firstChars;

    public AddedTokenTrie(IEnumerable<AddedToken> tokens)
    {
        foreach (var token in tokens)
            _tokenAt[AddPath(token.Content)] = token;
        _firstChars = SearchValues.Create([.. _edges.Keys.Where(static e => e.Node == 0).Select(static e => e.Next)]);
    }

    public bool IsEmpty => _edges.Count == 0;

    /// <summary>The first match at or after <paramref name="from"/>; false at the end of the text.</summary>
    public bool TryFind(ReadOnlySpan<char> text, int from, out int start, out AddedToken? token)
    {
        token = null;
        for (start = from; start < text.Length; start++)
        {
            var skipped = text[start..].IndexOfAny(_firstChars);
            if (skipped < 0)
                return false;
            start += skipped;
            token = LongestAt(text[start..]);
            if (token is not null)
                return true;
        }

        return false;
    }

    /// <summary>The length of the longest token that a text begins with, or 0.</summary>
    public int LengthAt(ReadOnlySpan<char> text) => IsEmpty ? 0 : LongestAt(text)?.Content.Length ?? 0;

    private AddedToken? LongestAt(ReadOnlySpan<char> text)
    {
        AddedToken? longest = null;
        var node = 0;
        foreach (var c in text)
        {
            if (!_edges.TryGetValue((node, c), out node))
                break;
            longest = _tokenAt[node] ?? longest;
        }

        return longest;
    }

    private int AddPath(string content)
    {
        var node = 0;
        foreach (var c in content)
        {
            if (!_edges.TryGetValue((node, c), out var next))
            {
                next = _tokenAt.Count;
                _edges.Add((node, c), next);
                _tokenAt.Add(null);
            }

            node = next;
        }

        return node;
    }
}
