namespace OrtPeft.Tokenizers.Serialization;

/// <summary>Reads <c>merges.txt</c>: one pair a line in rank order, the first line perhaps a version.</summary>
internal static class MergesFileReader
{
    public static void Read(string file, BpeModelBuilder builder)
    {
        int number = 0;
        foreach (ReadOnlySpan<char> line in TextFile.ReadText(file).AsSpan().EnumerateLines())
        {
            number++;
            bool isVersion = number == 1 && line.StartsWith("#version");
            if (line.IsEmpty || isVersion)
                continue;
            var place = new SourcePlace(file, $"line {number}");
            (string left, string right) = SplitPair(line.ToString(), place);
            builder.AddMerge(left, right, place);
        }
    }

    /// <summary>Splits "a b". The byte alphabet has no space, so the one space is the boundary.</summary>
    public static (string Left, string Right) SplitPair(string pair, SourcePlace place)
    {
        int space = pair.IndexOf(' ', StringComparison.Ordinal);
        bool isPair = space > 0 && space < pair.Length - 1 && pair.IndexOf(' ', space + 1) < 0;
        if (!isPair)
            throw place.Error($"{TokenizerFormatException.Quote(pair)} is not two tokens with one space between");
        return (pair[..space], pair[(space + 1)..]);
    }
}
