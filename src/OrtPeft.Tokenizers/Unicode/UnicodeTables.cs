using System.Collections.Frozen;
using System.IO.Compression;

namespace OrtPeft.Tokenizers.Unicode;

/// <summary>
/// The part of the Unicode character database that is carried, so that text is treated alike with and without ICU
/// (<c>DOTNET_SYSTEM_GLOBALIZATION_INVARIANT</c>). Read once; immutable.
/// </summary>
/// <remarks>
/// Versions are those that Hugging Face's tokenizers has: normal forms and accents by Unicode 9.0, BERT's classes by 8.0.
/// </remarks>
internal sealed class UnicodeTables
{
    private static readonly Lazy<UnicodeTables> Loaded = new(static () => new UnicodeTables(Open()));

    private UnicodeTables(TableReader reader)
    {
        Canonical = reader.ReadMap();
        Compatible = reader.ReadMap();
        CombiningClasses = reader.ReadMap().ToFrozenDictionary(static c => c.Key, static c => (byte)c.Value[0]);
        var composites = reader.ReadSet();
        Compositions = Canonical.Where(c => c.Value.Length == 2 && composites.Contains(c.Key))
            .ToFrozenDictionary(static c => (c.Value[0], c.Value[1]), static c => c.Key);
        LowerCase = reader.ReadMap().ToFrozenDictionary();
        Folded = reader.ReadMap().ToFrozenDictionary(static c => c.Key, static c => c.Value[0]);
        Other8 = reader.ReadSet();
        NonSpacingMarks8 = reader.ReadSet();
        Punctuation8 = reader.ReadSet();
        Marks9 = reader.ReadSet();
        Assigned9 = reader.ReadSet();
        var named = new Dictionary<string, CodePointSet>(StringComparer.OrdinalIgnoreCase);
        for (var left = reader.ReadNumber(); left > 0; left--)
            named.Add(reader.ReadName(), reader.ReadSet());
        Named = named.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);
    }

    public static UnicodeTables Current => Loaded.Value;

    /// <summary>One step of canonical decomposition: one or two code points.</summary>
    public IReadOnlyDictionary<int, int[]> Canonical { get; }

    /// <summary>One step of compatibility decomposition, of code points that have no canonical one.</summary>
    public IReadOnlyDictionary<int, int[]> Compatible { get; }

    /// <summary>Canonical combining classes other than 0.</summary>
    public FrozenDictionary<int, byte> CombiningClasses { get; }

    /// <summary>Pairs that compose, without Hangul.</summary>
    public FrozenDictionary<(int, int), int> Compositions { get; }

    /// <summary>Lower case without context, as Rust's <c>to_lowercase</c>; one or two code points.</summary>
    public FrozenDictionary<int, int[]> LowerCase { get; }

    /// <summary>Simple case folding.</summary>
    public FrozenDictionary<int, int> Folded { get; }

    /// <summary>Control, format and private-use characters of Unicode 8.0.</summary>
    public CodePointSet Other8 { get; }

    /// <summary>Category Mn in Unicode 8.0.</summary>
    public CodePointSet NonSpacingMarks8 { get; }

    /// <summary>Category P in Unicode 8.0.</summary>
    public CodePointSet Punctuation8 { get; }

    /// <summary>Category M in Unicode 9.0.</summary>
    public CodePointSet Marks9 { get; }

    /// <summary>The characters of Unicode 9.0.</summary>
    public CodePointSet Assigned9 { get; }

    /// <summary>Scripts by name, such as <c>Han</c> and <c>Old_Italic</c>, and three properties.</summary>
    public FrozenDictionary<string, CodePointSet> Named { get; }

    private static TableReader Open()
    {
        using var packed = typeof(UnicodeTables).Assembly.GetManifestResourceStream("Unicode.tables.br")!;
        using var brotli = new BrotliStream(packed, CompressionMode.Decompress);
        using var bytes = new MemoryStream();
        brotli.CopyTo(bytes);
        return new TableReader(bytes.ToArray());
    }
}
