using OrtPeft.Tokenizers.Json;

namespace OrtPeft.Tokenizers.Models;

/// <summary>Reads the merges of <c>tokenizer.json</c>, each "a b" or ["a", "b"], in rank order.</summary>
internal static class MergesReader
{
    public static IEnumerable<(string Left, string Right, SourcePlace Place)> Read(JsonField merges)
    {
        foreach (var merge in merges.Items())
        {
            var (left, right) = merge.IsString
                ? SplitPair(merge.AsString(), merge.Place)
                : ReadPair(merge);
            yield return (left, right, merge.Place);
        }
    }

    /// <summary>Splits "a b". The byte alphabet has no space, so the one space is the boundary.</summary>
    public static (string Left, string Right) SplitPair(string pair, SourcePlace place)
    {
        var space = pair.IndexOf(' ', StringComparison.Ordinal);
        var isPair = space > 0 && space < pair.Length - 1 && pair.IndexOf(' ', space + 1) < 0;
        if (!isPair)
            throw place.Error($"{TokenizerFormatException.Quote(pair)} is not two tokens with one space between");
        return (pair[..space], pair[(space + 1)..]);
    }

    private static (string Left, string Right) ReadPair(JsonField merge)
    {
        string[] parts = [.. merge.Items().Select(static part => part.AsString())];
        return parts is [var left, var right]
            ? (left, right)
            : throw merge.Place.Error($"{merge.Shown()} has {parts.Length} entries; a merge joins two tokens");
    }
}
