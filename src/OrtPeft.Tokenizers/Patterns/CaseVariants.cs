using System.Collections.Frozen;
using OrtPeft.Tokenizers.Unicode;

namespace OrtPeft.Tokenizers.Patterns;

/// <summary>Code points that are one letter where case does not matter, by Unicode's simple case folding.</summary>
internal static class CaseVariants
{
    private static readonly Lazy<FrozenDictionary<int, int[]>> Groups = new(Build);

    /// <summary>A set with every other case of what is in it.</summary>
    public static CodePointSet Of(CodePointSet set)
    {
        var touched = Groups.Value.Where(g => set.Contains(g.Key)).Select(static g => g.Value);
        return set.Or(CodePointSet.Of(touched.SelectMany(static g => g).Select(static code => (code, code + 1))));
    }

    private static FrozenDictionary<int, int[]> Build()
    {
        var folded = UnicodeTables.Current.Folded;
        return folded.GroupBy(static f => f.Value, static f => f.Key)
            .Select(static group => (int[])[group.Key, .. group])
            .SelectMany(static group => group.Select(code => (code, group)))
            .ToFrozenDictionary(static c => c.code, static c => c.group);
    }
}
