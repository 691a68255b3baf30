namespace OrtPeft.Cli.Words;

/// <summary>Guesses what a mistyped word was to be.</summary>
internal static class Suggestion
{
    /// <summary>Words of other programs, and the verbs here.</summary>
    private static readonly (string Word, string Verb)[] Elsewhere =
    [
        ("convert", "import"), ("finetune", "train"), ("fine-tune", "train"), ("fit", "train"),
        ("fuse", "merge"), ("merge-lora", "merge"), ("evaluate", "eval"), ("test", "eval"), ("infer", "generate"),
        ("inference", "generate"), ("server", "serve"), ("run", "generate"), ("chat", "generate"), ("preprocess", "data"),
        ("benchmark", "bench"), ("info", "inspect"), ("show", "inspect"), ("new", "init"), ("quantise", "quantize"),
    ];

    /// <summary>The verb that was meant; null where none is near.</summary>
    public static string? Verb(string typed, IEnumerable<string> verbs) =>
        Elsewhere.FirstOrDefault(e => e.Word == typed).Verb ?? Nearest(typed, verbs);

    /// <summary>The candidate with the fewest changes, about a third of its letters at most; else one that begins with what
    /// was typed; else one whose last words it is.</summary>
    public static string? Nearest(string typed, IEnumerable<string> candidates)
    {
        string[] all = [.. candidates];
        var (word, changes) = all.Select(c => (c, Distance(typed, c))).OrderBy(static p => p.Item2).FirstOrDefault();
        if (word is not null && changes <= Math.Max(1, (word.TrimStart('-').Length + 1) / 3))
            return word;
        var bare = typed.TrimStart('-');
        return bare.Length < 2
            ? null
            : all.Where(c => c.StartsWith(typed, StringComparison.Ordinal)).MinBy(static c => c.Length)
                ?? all.Where(c => c.EndsWith($"-{bare}", StringComparison.Ordinal)).MinBy(static c => c.Length);
    }

    /// <summary>Letters to insert, remove, replace or swap with their neighbour.</summary>
    private static int Distance(string a, string b)
    {
        var d = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
            d[i, 0] = i;
        for (var j = 0; j <= b.Length; j++)
            d[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var replaced = d[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                d[i, j] = Math.Min(replaced, Math.Min(d[i - 1, j], d[i, j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
            }
        }

        return d[a.Length, b.Length];
    }
}
