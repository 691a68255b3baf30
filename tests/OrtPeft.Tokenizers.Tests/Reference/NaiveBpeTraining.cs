using System.Text;

namespace OrtPeft.Tokenizers.Tests.Reference;

/// <summary>Byte-pair learning as in the textbook: count all pairs anew for each merge.</summary>
internal static class NaiveBpeTraining
{
    public static List<string> Learn(IEnumerable<string> texts, int merges, int minimumFrequency)
    {
        List<List<string>> words = [.. texts.SelectMany(NaivePattern.Split).Select(Spell)];
        var learned = new List<string>();
        while (learned.Count < merges)
        {
            (string Left, string Right)[] pairs = [.. words.SelectMany(static word => word.Zip(word.Skip(1)))];
            var best = pairs.GroupBy(static pair => pair)
                .Where(group => group.Count() >= minimumFrequency)
                .OrderByDescending(static group => group.Count())
                .ThenBy(static group => Order(group.Key.Left), StringComparer.Ordinal)
                .ThenBy(static group => Order(group.Key.Right), StringComparer.Ordinal)
                .FirstOrDefault();
            if (best is null)
                break;
            // A pair comes back where one of its tokens is made in a second way; it is a merge already.
            var merge = $"{best.Key.Left} {best.Key.Right}";
            if (!learned.Contains(merge))
                learned.Add(merge);
            words = [.. words.Select(word => Merge(word, best.Key.Left, best.Key.Right))];
        }

        return learned;
    }

    private static List<string> Spell(string word) =>
        [.. Encoding.UTF8.GetBytes(word).Select(static b => ByteAlphabet.CharOf(b).ToString())];

    /// <summary>A string that sorts as the token's bytes do.</summary>
    private static string Order(string token) => string.Concat(ByteAlphabet.Read(token)!.Select(static b => (char)b));

    private static List<string> Merge(List<string> word, string left, string right)
    {
        var merged = new List<string>();
        for (var i = 0; i < word.Count; i++)
        {
            var matches = word[i] == left && i + 1 < word.Count && word[i + 1] == right;
            merged.Add(matches ? left + right : word[i]);
            if (matches)
                i++;
        }

        return merged;
    }
}
