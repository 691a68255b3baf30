using System.Globalization;

namespace OrtPeft.Tokenizers.Normalization;

/// <summary>
/// Unicode's canonical mappings and combining classes, from <c>CanonicalData.txt</c>, which
/// <c>scripts/canonical-data.py</c> writes. Immutable and thread-safe.
/// </summary>
internal sealed class CanonicalData
{
    private static readonly Lazy<CanonicalData> Loaded = new(Read);

    private readonly Dictionary<int, (int First, int? Second)> _decompositions = [];
    private readonly Dictionary<(int First, int Second), int> _compositions = [];
    private readonly Dictionary<int, int> _classes = [];

    private CanonicalData()
    {
    }

    public static CanonicalData Instance => Loaded.Value;

    /// <summary>What a character is made of, one level deep, or null.</summary>
    public (int First, int? Second)? DecompositionOf(int character) =>
        _decompositions.TryGetValue(character, out var parts) ? parts : null;

    /// <summary>The character that two make, or null.</summary>
    public int? CompositionOf(int first, int second) =>
        _compositions.TryGetValue((first, second), out int whole) ? whole : null;

    /// <summary>Where a mark stands among others on one letter; 0 for what is no mark.</summary>
    public int ClassOf(int character) => _classes.GetValueOrDefault(character);

    private static CanonicalData Read()
    {
        var data = new CanonicalData();
        using Stream stream = typeof(CanonicalData).Assembly.GetManifestResourceStream(
            typeof(CanonicalData), "CanonicalData.txt")!; // embedded by the project file
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
            data.Add(line.Split(' '));
        return data;
    }

    private void Add(string[] fields)
    {
        if (fields[0] == "c")
        {
            for (int c = Hex(fields[1]); c <= Hex(fields[2]); c++)
                _classes.Add(c, int.Parse(fields[3], CultureInfo.InvariantCulture));
        }
        else if (fields[0] is "d" or "x")
        {
            int? second = fields.Length > 3 ? Hex(fields[3]) : null;
            _decompositions.Add(Hex(fields[1]), (Hex(fields[2]), second));
            if (fields[0] == "d" && second is { } mark)
                _compositions.Add((Hex(fields[2]), mark), Hex(fields[1]));
        }
    }

    private static int Hex(string text) =>
        int.Parse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
