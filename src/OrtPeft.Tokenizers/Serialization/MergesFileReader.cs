using OrtPeft.Tokenizers.Models;

namespace OrtPeft.Tokenizers.Serialization;

/// <summary>Reads <c>merges.txt</c>: one pair a line in rank order, the first line perhaps a version.</summary>
internal static class MergesFileReader
{
    public static void Read(string file, BpeModelBuilder builder)
    {
        var number = 0;
        foreach (var line in TextFile.ReadText(file).AsSpan().EnumerateLines())
        {
            number++;
            var isVersion = number == 1 && line.StartsWith("#version");
            if (line.IsEmpty || isVersion)
                continue;
            var place = new SourcePlace(file, $"line {number}");
            var (left, right) = MergesReader.SplitPair(line.ToString(), place);
            builder.AddMerge(left, right, place);
        }
    }
}
