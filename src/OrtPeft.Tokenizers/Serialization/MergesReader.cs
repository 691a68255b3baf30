namespace OrtPeft.Tokenizers.Serialization;

/// <summary>Reads the merges of <c>tokenizer.json</c>, each "a b" or ["a", "b"], in rank order.</summary>
internal static class MergesReader
{
    public static IEnumerable<(string Left, string Right, SourcePlace Place)> Read(JsonField merges)
    {
        foreach (JsonField merge in merges.Items())
        {
            (string left, string right) = merge.IsString
                ? MergesFileReader.SplitPair(merge.AsString(), merge.Place)
                : ReadPair(merge);
            yield return (left, right, merge.Place);
        }
    }

    private static (string Left, string Right) ReadPair(JsonField merge)
    {
        string[] parts = [.. merge.Items().Select(static part => part.AsString())];
        return parts is [var left, var right]
            ? (left, right)
            : throw merge.Place.Error($"{merge.Shown()} has {parts.Length} entries; a merge joins two tokens");
    }
}
