// Makes src/OrtPeft.Tokenizers/Unicode/tables.br out of the Unicode character database, so that normal forms, lower case
// and scripts need neither ICU nor a culture. Needs nothing but the SDK:
//
//     dotnet run scripts/UnicodeTables.cs -- UCD [OUT]
//
//     UCD    a folder with UnicodeData.txt, DerivedAge.txt, DerivedNormalizationProps.txt, DerivedCoreProperties.txt,
//            Scripts.txt, SpecialCasing.txt and CaseFolding.txt of one version (Debian: package unicode-data, /usr/share/unicode; 15.0.0 was taken)
//     OUT    the file to write
//
// Hugging Face's tokenizers normalise by Unicode 9.0 and classify for BERT by Unicode 8.0: characters that are younger are
// left out of those tables. The format is what UnicodeTables.cs in that folder reads.
#:property PublishAot=false

using System.Globalization;
using System.IO.Compression;
using System.Text;

string folder = args.Length > 0 ? args[0] : "/usr/share/unicode";
string output = args.Length > 1 ? args[1] : "src/OrtPeft.Tokenizers/Unicode/tables.br";

string[] data = new string[0x110000];
var canonical = new SortedDictionary<int, int[]>();
var compatible = new SortedDictionary<int, int[]>();
var classes = new SortedDictionary<int, int>();
var lower = new SortedDictionary<int, int[]>();
int first = 0;
foreach (string line in File.ReadLines(Path.Combine(folder, "UnicodeData.txt")))
{
    string[] f = line.Split(';');
    int code = Hex(f[0]);
    if (f[1].EndsWith("First>", StringComparison.Ordinal))
        first = code;
    for (int c = f[1].EndsWith("Last>", StringComparison.Ordinal) ? first : code; c <= code; c++)
        data[c] = f[2];
    if (f[3] != "0")
        classes[code] = int.Parse(f[3], CultureInfo.InvariantCulture);
    if (f[5].StartsWith('<'))
        compatible[code] = Codes(f[5][(f[5].IndexOf('>', StringComparison.Ordinal) + 1)..]);
    else if (f[5].Length > 0)
        canonical[code] = Codes(f[5]);
    if (f[13].Length > 0)
        lower[code] = [Hex(f[13])];
}
foreach (string[] f in Fields("SpecialCasing.txt"))
{
    if (f.Length < 5 || f[4].Length == 0)
        lower[Hex(f[0])] = Codes(f[1]);
}
foreach (int code in lower.Where(static l => l.Value is [var one] && one == l.Key).Select(static l => l.Key).ToArray())
    lower.Remove(code);

var fold = new SortedDictionary<int, int[]>();
foreach (string[] f in Fields("CaseFolding.txt").Where(static f => f[1] is "C" or "S"))
    fold[Hex(f[0])] = [Hex(f[2])];

var age = new int[0x110000];
Array.Fill(age, 99);
foreach (string[] f in Fields("DerivedAge.txt"))
{
    foreach (int c in Range(f[0]))
        age[c] = int.Parse(f[1].Split('.')[0], CultureInfo.InvariantCulture);
}
var excluded = Fields("DerivedNormalizationProps.txt").Where(static f => f[1] == "Full_Composition_Exclusion")
    .SelectMany(static f => Range(f[0])).ToHashSet();
var scripts = new string?[0x110000];
foreach (string[] f in Fields("Scripts.txt"))
{
    foreach (int c in Range(f[0]))
        scripts[c] = f[1];
}

// Categories that changed after Unicode 9.0, as they were.
foreach ((int code, string was) in new (int, string)[] { (0x166D, "Po"), (0x111C9, "Po"), (0x1CF2, "Mc"), (0x1CF3, "Mc") })
    data[code] = was;

// Ideographs of Unicode 15.1.
Array.Fill(scripts, "Han", 0x2EBF0, 0x2EE5E - 0x2EBF0);

using var raw = new MemoryStream();
WriteMap(Until9(canonical));
WriteMap(Until9(compatible));
WriteMap(Until9(new(classes.ToDictionary(static c => c.Key, static c => new[] { c.Value }))));
WriteRanges(canonical.Keys.Where(c => age[c] <= 9 && !excluded.Contains(c)));
WriteMap(lower);
WriteMap(fold);
WriteRanges(All().Where(c => age[c] <= 8 && data[c] is "Cc" or "Cf" or "Co"));
WriteRanges(All().Where(c => age[c] <= 8 && data[c] is "Mn"));
WriteRanges(All().Where(c => age[c] <= 8 && data[c]?[0] == 'P'));
WriteRanges(All().Where(c => age[c] <= 9 && data[c]?[0] == 'M'));
WriteRanges(All().Where(c => age[c] <= 9 && data[c] is not null));
string[] names = [.. scripts.OfType<string>().Distinct().Order(StringComparer.Ordinal)];
string[] properties = ["Alphabetic", "Lowercase", "Uppercase"];
Write(names.Length + properties.Length);
foreach (string name in names)
    WriteNamed(name, All().Where(c => scripts[c] == name));
foreach (string name in properties)
    WriteNamed(name, Fields("DerivedCoreProperties.txt").Where(f => f[1] == name).SelectMany(static f => Range(f[0])).Order());
using (FileStream file = File.Create(output))
using (var packed = new BrotliStream(file, CompressionLevel.SmallestSize))
    raw.WriteTo(packed);
Console.WriteLine($"{output}: {new FileInfo(output).Length} bytes, {raw.Length} unpacked");

SortedDictionary<int, int[]> Until9(SortedDictionary<int, int[]> map) =>
    new(map.Where(m => age[m.Key] <= 9).ToDictionary(static m => m.Key, static m => m.Value));

IEnumerable<int> All() => Enumerable.Range(0, 0x110000).Where(static c => c is < 0xD800 or > 0xDFFF);

IEnumerable<string[]> Fields(string name) => File.ReadLines(Path.Combine(folder, name))
    .Select(static line => line.Split('#')[0].Trim()).Where(static line => line.Length > 0)
    .Select(static line => line.Split(';', StringSplitOptions.TrimEntries));

static int Hex(string text) => int.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

static int[] Codes(string text) => [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Hex)];

static IEnumerable<int> Range(string text)
{
    string[] ends = text.Split("..");
    int start = Hex(ends[0]);
    return Enumerable.Range(start, Hex(ends[^1]) - start + 1);
}

// Numbers are LEB128; keys and range starts are differences to what went before.
void Write(int value)
{
    for (; value >= 0x80; value >>= 7)
        raw.WriteByte((byte)(value | 0x80));
    raw.WriteByte((byte)value);
}

void WriteMap(SortedDictionary<int, int[]> map)
{
    Write(map.Count);
    int last = 0;
    foreach ((int code, int[] values) in map)
    {
        Write(code - last);
        Write(values.Length);
        foreach (int value in values)
            Write(value);
        last = code;
    }
}

void WriteNamed(string name, IEnumerable<int> codes)
{
    Write(name.Length);
    raw.Write(Encoding.ASCII.GetBytes(name));
    WriteRanges(codes);
}

void WriteRanges(IEnumerable<int> codes)
{
    var ranges = new List<(int Start, int End)>();
    foreach (int code in codes)
    {
        if (ranges.Count > 0 && ranges[^1].End == code)
            ranges[^1] = (ranges[^1].Start, code + 1);
        else
            ranges.Add((code, code + 1));
    }
    Write(ranges.Count);
    int last = 0;
    foreach ((int start, int end) in ranges)
    {
        Write(start - last);
        Write(end - start);
        last = end;
    }
}
