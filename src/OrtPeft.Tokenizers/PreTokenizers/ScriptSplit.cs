using System.Collections.Frozen;
using OrtPeft.Tokenizers.Alignment;
using OrtPeft.Tokenizers.Unicode;

namespace OrtPeft.Tokenizers.PreTokenizers;

/// <summary>
/// Cuts where the script changes, by Unicode 9.0. Spaces and what that version does not know go with any script, and are
/// dropped before the first character that has one, as by the library; kana and the prolonged sound mark count as Han.
/// </summary>
internal static class ScriptSplit
{
    private const string Han = "Han";
    private const string Common = "Common";
    private const string Devanagari = "Devanagari";

    private static readonly FrozenDictionary<int, string> AsOfVersion9 = new Dictionary<int, string>
    {
        [0x589] = Common,
        [0x61C] = Common,
        [0x953] = Devanagari,
        [0x954] = Devanagari,
        [0x30FC] = Han,
    }.ToFrozenDictionary();

    private static readonly Lazy<string?[]> Scripts = new(Build);

    public static IEnumerable<AlignedText> Split(AlignedText piece)
    {
        string? last = null;
        var begun = 0;
        for (int unit = 0, width; unit < piece.Text.Length; unit += width)
        {
            var script = Scripts.Value[CodePoints.At(piece.Text, unit, out width)];
            if (script is null)
                continue;
            if (last is not null && last != script)
                yield return piece.Slice(begun, unit);
            if (last != script)
                begun = unit;
            last = script;
        }

        if (last is not null)
            yield return piece.Slice(begun, piece.Text.Length);
    }

    private static string?[] Build()
    {
        var scripts = new string?[0x110000];
        foreach (var (name, set) in UnicodeTables.Current.Named)
        {
            if (name is "Alphabetic" or "Uppercase" or "Lowercase")
                continue;
            var counted = name is "Hiragana" or "Katakana" ? Han : name;
            foreach (var (start, end) in set.And(UnicodeTables.Current.Assigned9).Ranges)
                Array.Fill(scripts, counted, start, end - start);
        }

        foreach (var (code, script) in AsOfVersion9)
            scripts[code] = script;
        scripts[' '] = null;
        return scripts;
    }
}
