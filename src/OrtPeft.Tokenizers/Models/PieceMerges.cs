namespace OrtPeft.Tokenizers.Models;

/// <summary>Merges that a vocabulary implies: any two tokens that together are a third, by a rank of that.</summary>
internal static class PieceMerges
{
    /// <param name="tokens">The tokens in the order in which they are merged.</param>
    /// <param name="rankOf">The rank of each; of equal ones the leftmost pair comes first.</param>
    public static MergeTable Of(IReadOnlyDictionary<string, int> tokens, Func<int, int> rankOf)
    {
        var rules = new List<MergeRule>();
        var ranks = new List<int>();
        foreach (var (token, id) in tokens)
        {
            for (var cut = 1; cut < token.Length; cut++)
            {
                if (!tokens.TryGetValue(token[..cut], out var left) || !tokens.TryGetValue(token[cut..], out var right))
                    continue;
                rules.Add(new MergeRule(left, right, id));
                ranks.Add(rankOf(id));
            }
        }

        return new MergeTable(rules, ranks);
    }
}
