using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Globalization;
using OrtPeft.Tokenizers.Unicode;

namespace OrtPeft.Tokenizers.Patterns;

/// <summary>The sets that <c>\p{…}</c> and <c>[:…:]</c> name: categories, scripts and POSIX classes.</summary>
internal static class PropertyNames
{
    /// <summary>Letters of the categories in the order of <see cref="UnicodeCategory"/>.</summary>
    private static readonly string[] Categories =
    [
        "lu", "ll", "lt", "lm", "lo", "mn", "mc", "me", "nd", "nl", "no", "zs", "zl", "zp", "cc", "cf", "cs", "co",
        "pc", "pd", "ps", "pe", "pi", "pf", "po", "sm", "sc", "sk", "so", "cn",
    ];

    private static readonly FrozenDictionary<string, string> LongNames = new Dictionary<string, string>
    {
        ["letter"] = "l",
        ["uppercaseletter"] = "lu",
        ["lowercaseletter"] = "ll",
        ["titlecaseletter"] = "lt",
        ["modifierletter"] = "lm",
        ["otherletter"] = "lo",
        ["mark"] = "m",
        ["combiningmark"] = "m",
        ["nonspacingmark"] = "mn",
        ["spacingmark"] = "mc",
        ["enclosingmark"] = "me",
        ["number"] = "n",
        ["decimalnumber"] = "nd",
        ["letternumber"] = "nl",
        ["othernumber"] = "no",
        ["punctuation"] = "p",
        ["connectorpunctuation"] = "pc",
        ["dashpunctuation"] = "pd",
        ["openpunctuation"] = "ps",
        ["closepunctuation"] = "pe",
        ["initialpunctuation"] = "pi",
        ["finalpunctuation"] = "pf",
        ["otherpunctuation"] = "po",
        ["symbol"] = "s",
        ["mathsymbol"] = "sm",
        ["currencysymbol"] = "sc",
        ["modifiersymbol"] = "sk",
        ["othersymbol"] = "so",
        ["separator"] = "z",
        ["spaceseparator"] = "zs",
        ["lineseparator"] = "zl",
        ["paragraphseparator"] = "zp",
        ["other"] = "c",
        ["control"] = "cc",
        ["format"] = "cf",
        ["surrogate"] = "cs",
        ["privateuse"] = "co",
        ["unassigned"] = "cn",
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<string, Func<CodePointSet>> Others =
        new Dictionary<string, Func<CodePointSet>>
        {
            ["any"] = static () => CodePointSet.All,
            ["assigned"] = static () => Category("cn").Not(),
            ["ascii"] = static () => CodePointSet.Of((0, 0x80)),
            ["alpha"] = static () => Alphabetic,
            ["alphabetic"] = static () => Alphabetic,
            ["alnum"] = static () => Alphabetic.Or(Category("nd")),
            ["blank"] = static () => Category("zs").Or(CodePointSet.Of(('\t', '\t' + 1))),
            ["lower"] = static () => Category("ll").Or(Named("Lowercase")),
            ["lowercase"] = static () => Category("ll").Or(Named("Lowercase")),
            ["upper"] = static () => Category("lu").Or(Named("Uppercase")),
            ["uppercase"] = static () => Category("lu").Or(Named("Uppercase")),
            ["cntrl"] = static () => Category("cc"),
            ["digit"] = static () => Category("nd"),
            ["graph"] = static () => Space.Or(Category("cc")).Or(Category("cs")).Or(Category("cn")).Not(),
            ["print"] = static () => Space.Or(Category("cc")).Or(Category("cs")).Or(Category("cn")).Not()
                .Or(Category("zs")),
            ["punct"] = static () => Category("p").Or(Category("s")),
            ["space"] = static () => Space,
            ["whitespace"] = static () => Space,
            ["word"] = static () => Word,
            ["xdigit"] = static () => HexDigit,
        }.ToFrozenDictionary();

    private static readonly ConcurrentDictionary<string, CodePointSet> Made = new(StringComparer.Ordinal);

    private static readonly Lazy<byte[]> CategoryTable = new(static () =>
        [.. Enumerable.Range(0, 0x110000).Select(static code => (byte)CharUnicodeInfo.GetUnicodeCategory(code))]);

    /// <summary>Unicode's White_Space.</summary>
    public static CodePointSet Space => Make("\\s", static () => CodePointSet.Where(CharacterClasses.IsSpace));

    /// <summary>Oniguruma's word characters: Alphabetic, marks, decimal digits and connectors.</summary>
    public static CodePointSet Word => Make("\\w", static () =>
        Alphabetic.Or(Category("m")).Or(Category("nd")).Or(Category("pc")));

    /// <summary>The set of <c>\w</c>: word characters and, a peculiarity of Oniguruma, Latin-1's superscript digits and
    /// fractions.</summary>
    public static CodePointSet WordEscape => Make("\\w2", static () =>
        Word.Or(CodePointSet.Of((0xB2, 0xB4), (0xB9, 0xBA), (0xBC, 0xBF))));

    public static CodePointSet HexDigit =>
        Make("\\h", static () => CodePointSet.Of(('0', '9' + 1), ('A', 'F' + 1), ('a', 'f' + 1)));

    private static CodePointSet Alphabetic => Make("alpha", static () =>
        Category("l").Or(Category("nl")).Or(Named("Alphabetic")));

    /// <summary>The set of a name, in any case and with or without <c>_</c>, <c>-</c> and spaces; null where the name is
    /// not known.</summary>
    public static CodePointSet? Find(string name)
    {
        var plain = string.Concat(name.Where(static c => c is not (' ' or '_' or '-'))).ToLowerInvariant();
        plain = LongNames.GetValueOrDefault(plain) ?? plain;
        if (plain is "l" or "m" or "n" or "p" or "s" or "z" or "c" || Categories.Contains(plain))
            return Category(plain);
        if (Others.TryGetValue(plain, out var make))
            return make();
        foreach (var (script, set) in UnicodeTables.Current.Named)
        {
            if (script.Replace("_", "", StringComparison.Ordinal).Equals(plain, StringComparison.OrdinalIgnoreCase))
                return set;
        }

        return null;
    }

    /// <summary>A category by its one or two letters in lower case.</summary>
    public static CodePointSet Category(string letters) => Make(letters, () =>
    {
        bool[] isIn = [.. Categories.Select(c => c.StartsWith(letters, StringComparison.Ordinal))];
        var table = CategoryTable.Value;
        return CodePointSet.Where(code => isIn[table[code]]);
    });

    private static CodePointSet Named(string name) => UnicodeTables.Current.Named[name];

    private static CodePointSet Make(string name, Func<CodePointSet> make) => Made.GetOrAdd(name, _ => make());
}
