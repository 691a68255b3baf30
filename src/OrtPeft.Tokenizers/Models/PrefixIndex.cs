namespace OrtPeft.Tokenizers.Models;

/// <summary>Finds all tokens that a text begins with, by narrowing a range of the sorted tokens. Immutable.</summary>
internal sealed class PrefixIndex
{
    private readonly string[] _tokens;
    private readonly int[] _values;

    public PrefixIndex(IEnumerable<KeyValuePair<string, int>> tokens)
    {
        KeyValuePair<string, int>[] sorted = [.. tokens.OrderBy(static t => t.Key, StringComparer.Ordinal)];
        _tokens = [.. sorted.Select(static t => t.Key)];
        _values = [.. sorted.Select(static t => t.Value)];
    }

    /// <summary>Fills a list with the tokens at the beginning of a text, the shortest first.</summary>
    public void FindAll(ReadOnlySpan<char> text, List<TokenLength> found)
    {
        found.Clear();
        var low = 0;
        var high = _tokens.Length;
        for (var depth = 0; depth < text.Length; depth++)
        {
            low = Bound(low, high, depth, text[depth]);
            high = Bound(low, high, depth, text[depth] + 1);
            if (low == high)
                return;
            if (_tokens[low].Length == depth + 1)
                found.Add(new TokenLength(_values[low], depth + 1));
        }
    }

    /// <summary>The first of the range whose unit at a depth is not below a value; a token that ends there is below.</summary>
    private int Bound(int low, int high, int depth, int value)
    {
        while (low < high)
        {
            var middle = (low + high) / 2;
            var isBelow = _tokens[middle].Length <= depth || _tokens[middle][depth] < value;
            if (isBelow)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }
}
