namespace OrtPeft.Tokenizers.Patterns;

/// <summary>How many code points an expression takes at least and at most.</summary>
internal static class PatternLength
{
    /// <summary>Longer is as good as without bound.</summary>
    public const int Limit = 255;

    public static (int Least, int Most) Of(PatternNode node) => node switch
    {
        PatternNode.OneOf => (1, 1),
        PatternNode.Sequence { Parts: var parts } => Sum([.. parts.Select(Of)]),
        PatternNode.Choice { Branches: var branches } =>
            (branches.Min(static b => Of(b).Least), branches.Max(static b => Of(b).Most)),
        PatternNode.Repeat repeat => Times(Of(repeat.Body), repeat),
        PatternNode.Atomic { Body: var body } => Of(body),
        _ => (0, 0),
    };

    private static (int Least, int Most) Sum((int Least, int Most)[] parts) =>
        (Bounded(parts.Sum(static p => (long)p.Least)), Bounded(parts.Sum(static p => (long)p.Most)));

    private static (int Least, int Most) Times((int Least, int Most) body, PatternNode.Repeat repeat) =>
        (Bounded((long)body.Least * repeat.Least), Bounded((long)body.Most * repeat.Most));

    private static int Bounded(long length) => (int)Math.Min(length, Limit + 1);
}
