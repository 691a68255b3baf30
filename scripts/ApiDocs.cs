// Makes the texts that the model in models/ is trained and tuned with, out of the English API documentation that every
// .NET SDK carries (packs/Microsoft.NETCore.App.Ref/*/ref/net10.0/*.xml). Needs nothing but the SDK:
//
//     dotnet run scripts/ApiDocs.cs -- [--out DIR] [--task DIR] [--megabytes N] [--seed N] [--pack DIR]
//
//     --out DIR       receives corpus.jsonl and corpus-heldout.jsonl, rows {"text": ...} for training the base and
//                     measuring it (default: out/apidocs)
//     --task DIR      receives train.jsonl and heldout.jsonl, rows {"prompt": ..., "completion": ...} for tuning it and
//                     measuring that (default: models/tasks/what-member-is-it)
//     --megabytes N   upper bound of both corpus files together, in millions of bytes (default: 7)
//     --seed N        chooses another sample and another set of held-out types (default: 0)
//     --pack DIR      folder with the XML files (default: the newest 10.0 pack of the SDK in use)
//
// The same pack and seed give the same bytes: everything is ordered by a hash of its own text, never by a file system
// or a random generator, so that another patch version of the SDK changes few rows.
#:property PublishAot=false

using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;

try
{
    var options = Options.Parse(args);
    var members = ApiPack.Read(options.Pack);
    var task = MemberTask.Build(members, options.Seed);
    var corpus = Corpus.Build(members, task, options.Seed, options.MaxBytes);

    var (forBase, forTask) = (options.Out, options.Task);
    JsonLines.Write(Path.Combine(forBase, "corpus.jsonl"), corpus.Skip(Corpus.HeldOutRows).Select(Corpus.Line));
    JsonLines.Write(Path.Combine(forBase, "corpus-heldout.jsonl"), corpus.Take(Corpus.HeldOutRows).Select(Corpus.Line));
    JsonLines.Write(Path.Combine(forTask, "train.jsonl"), task.Train.Select(static row => row.Line));
    JsonLines.Write(Path.Combine(forTask, "heldout.jsonl"), task.HeldOut.Select(static row => row.Line));
    Console.WriteLine($"{options.Pack}: {members.Count} documented members");
    Console.WriteLine($"{corpus.Count} corpus rows, {Corpus.HeldOutRows} of them held out, in {forBase}");
    Console.WriteLine($"{task.Train.Count} training and {task.HeldOut.Count} held-out rows in {forTask}");
    return 0;
}
catch (ArgumentException error)
{
    Console.Error.WriteLine(error.Message);
    return 2;
}

/// <summary>The command line.</summary>
internal sealed record Options(string Out, string Task, string Pack, string Seed, long MaxBytes)
{
    public static Options Parse(string[] args)
    {
        if (args.Length % 2 != 0)
            throw new ArgumentException($"'{args[^1]}' has no value; each option takes one.");

        var options = new Options("out/apidocs", "models/tasks/what-member-is-it", "", "0", 7_000_000);
        foreach (var pair in args.Chunk(2))
            options = options.With(pair[0], pair[1]);
        return options.Pack.Length > 0 ? options : options with { Pack = ApiPack.Find() };
    }

    private Options With(string name, string value) => name switch
    {
        "--out" => this with { Out = value },
        "--task" => this with { Task = value },
        "--pack" => this with { Pack = value },
        "--seed" => this with { Seed = value },
        "--megabytes" when double.TryParse(value, CultureInfo.InvariantCulture, out var megabytes) && megabytes > 0
            => this with { MaxBytes = (long)(megabytes * 1e6) },
        "--megabytes" => throw new ArgumentException($"--megabytes '{value}': expected a number above 0."),
        _ => throw new ArgumentException($"Unknown option '{name}'; the head of scripts/ApiDocs.cs lists them."),
    };
}

/// <summary>
/// One documented type or member. <paramref name="Type"/> is the outermost type with its namespace; the first of
/// <paramref name="Sections"/> is the summary.
/// </summary>
internal sealed record Member(string Id, string Kind, string Type, string Namespace, IReadOnlyList<string> Sections);

/// <summary>Finds and reads the reference pack.</summary>
internal static class ApiPack
{
    public static string Find()
    {
        // The runtime lies in <root>/shared/Microsoft.NETCore.App/<version>/.
        var ofThisProcess = Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..");
        var root = Path.GetFullPath(Environment.GetEnvironmentVariable("DOTNET_ROOT") ?? ofThisProcess);
        var versions = Path.Combine(root, "packs", "Microsoft.NETCore.App.Ref");
        var newest = Directory.Exists(versions)
            ? Directory.EnumerateDirectories(versions, "10.0.*").MaxBy(PatchNumber)
            : null;
        return newest is not null
            ? Path.Combine(newest, "ref", "net10.0")
            : throw new ArgumentException($"No reference pack in '{versions}'; name its folder with --pack.");
    }

    public static IReadOnlyList<Member> Read(string folder)
    {
        var elements = Directory.EnumerateFiles(folder, "*.xml")
            .SelectMany(static file => XDocument.Load(file, LoadOptions.PreserveWhitespace).Descendants("member"))
            .Select(static element => (Id: (string)element.Attribute("name")!, Element: element))
            .OrderBy(static member => member.Id, StringComparer.Ordinal)
            .ToList();
        if (elements.Count == 0)
            throw new ArgumentException($"No documented members in '{folder}'; --pack expects a folder with *.xml.");

        var types = elements.Select(static member => member.Id)
            .Where(static id => id.StartsWith("T:", StringComparison.Ordinal))
            .Select(static id => id[2..])
            .ToHashSet(StringComparer.Ordinal);
        return elements.Select(member => ToMember(member.Id, member.Element, types)).ToList();
    }

    private static int PatchNumber(string folder) =>
        int.TryParse(folder.Split('.')[^1], CultureInfo.InvariantCulture, out var patch) ? patch : -1;

    private static Member ToMember(string id, XElement element, HashSet<string> types)
    {
        var path = id[2..].Split('(', '~')[0];
        var type = id[0] == 'T' ? path : Parent(path);
        while (types.Contains(Parent(type)))
            type = Parent(type);
        return new Member(id, KindOf(id), type, Parent(type), Prose.Sections(element));
    }

    private static string Parent(string path) => path.LastIndexOf('.') is > 0 and var dot ? path[..dot] : "";

    private static string KindOf(string id) => id[0] switch
    {
        'T' => "type",
        'P' => "property",
        'F' => "field",
        'E' => "event",
        _ => id.Contains(".#ctor", StringComparison.Ordinal) ? "constructor" : "method",
    };
}

/// <summary>Turns documentation elements into plain text.</summary>
internal static partial class Prose
{
    /// <summary>Summary, result, remarks, parameters, exceptions: in this order, empty ones left out.</summary>
    public static IReadOnlyList<string> Sections(XElement member)
    {
        var sections = new List<string> { Text(member.Elements("summary")) };
        sections.AddRange(new[] { "returns", "value", "remarks" }.Select(name => Text(member.Elements(name))));
        sections.AddRange(Labelled(member, "typeparam", "name"));
        sections.AddRange(Labelled(member, "param", "name"));
        sections.AddRange(Labelled(member, "exception", "cref"));
        return sections.Where(static (text, index) => index == 0 || text.Length > 0).ToList();
    }

    /// <summary>Splits where a full stop is followed by a capital letter.</summary>
    public static string[] Sentences(string text) => SentenceEnd().Split(text);

    /// <summary><c>P:System.Collections.Generic.List`1.Count</c> is <c>List.Count</c>, a type its last part.</summary>
    public static string ShortName(string reference)
    {
        var path = Arity().Replace(reference.Split('(', '~')[0], "").Replace('#', '.');
        var colon = path.IndexOf(':', StringComparison.Ordinal);
        var parts = path[(colon + 1)..].Split('.', StringSplitOptions.RemoveEmptyEntries);
        var kept = colon < 0 || path[0] == 'T' ? 1 : path[0] == 'N' ? parts.Length : 2;
        return parts is [.., var type, "ctor" or "cctor"] ? type : string.Join('.', parts.TakeLast(kept));
    }

    private static IEnumerable<string> Labelled(XElement member, string element, string label) =>
        from section in member.Elements(element)
        let text = Text([section])
        where text.Length > 0
        select $"{ShortName((string?)section.Attribute(label) ?? "")}: {text}";

    private static string Text(IEnumerable<XElement> elements)
    {
        var text = new StringBuilder();
        foreach (var node in elements.SelectMany(static element => element.Nodes()))
            Append(text, node);
        return Whitespace().Replace(text.ToString(), " ").Trim();
    }

    private static void Append(StringBuilder text, XNode node)
    {
        if (node is XText plain)
            text.Append(plain.Value);
        if (node is not XElement element)
            return;

        var isBlock = element.Name.LocalName is "para" or "p" or "item" or "description" or "list" or "br" or "code";
        if (isBlock)
            text.Append(' ');
        if (element.IsEmpty || !element.Nodes().Any())
            text.Append(Reference(element));
        foreach (var child in element.Nodes())
            Append(text, child);
        if (isBlock)
            text.Append(' ');
    }

    private static string Reference(XElement element) =>
        new[] { "langword", "name", "cref", "uid", "href" }
            .Select(name => (string?)element.Attribute(name))
            .FirstOrDefault(static value => value is not null) is { } target
            ? ShortName(target)
            : "";

    [GeneratedRegex(@"\s+")]
    private static partial Regex Whitespace();

    [GeneratedRegex(@"`+\d+|\{[^}]*\}")]
    private static partial Regex Arity();

    [GeneratedRegex(@"(?<=[.!?]) (?=[A-Z])")]
    private static partial Regex SentenceEnd();
}

/// <summary>A sentence, what it documents (a kind of member in an area), and the type that is about.</summary>
internal sealed record Question(string Sentence, string Kind, string Area, string Type)
{
    // Plain words on purpose: a small model with frozen embeddings can hardly say what its base has rarely read.
    public string Answer => $" This is {(Kind == "event" ? "an" : "a")} {Kind} in {Area}.";

    public byte[] Line => JsonLines.Encode(("prompt", Sentence), ("completion", Answer));
}

/// <summary>
/// The fine-tuning task: read the first sentence of a summary, say what it documents and in which namespace. Sentences
/// that document members with different answers are left out. Held-out questions are of types of their own.
/// </summary>
internal sealed record MemberTask(IReadOnlyList<Question> Train, IReadOnlyList<Question> HeldOut)
{
    private const int TrainPerKind = 240;
    private const int HeldOutPerKind = 32;
    private const int HeldOutPercentOfTypes = 15;

    // Namespaces, with what lies below them, whose vocabulary tells them apart.
    private static readonly string[] Areas =
    [
        "System.Collections", "System.ComponentModel", "System.Data", "System.IO",
        "System.Linq", "System.Net", "System.Reflection", "System.Xml",
    ];

    public static MemberTask Build(IEnumerable<Member> members, string seed)
    {
        var questions = members.Select(ToQuestion).OfType<Question>()
            .GroupBy(static question => question.Sentence, StringComparer.Ordinal)
            .Where(static same => same.Select(static question => question.Answer).Distinct().Count() == 1)
            .Select(static same => same.First())
            .ToLookup(question => Hash.Of(seed, question.Type)[0] * 100 / 256 < HeldOutPercentOfTypes);
        return new MemberTask(
            Balance(questions[false], TrainPerKind, seed), Balance(questions[true], HeldOutPerKind, seed));
    }

    private static Question? ToQuestion(Member member)
    {
        var sentence = Prose.Sentences(member.Sections[0])[0];
        var space = member.Namespace + '.';
        var area = Areas.FirstOrDefault(area => space.StartsWith(area + '.', StringComparison.Ordinal));
        var isClear = sentence.Length is >= 30 and <= 160 && sentence.EndsWith('.') && sentence.Count(' '.Equals) >= 4;
        return isClear && area is not null ? new Question(sentence, member.Kind, area, member.Type) : null;
    }

    /// <summary>As many of each kind, and within a kind as many of each area, as there are.</summary>
    private static List<Question> Balance(IEnumerable<Question> questions, int perKind, string seed) =>
        questions.GroupBy(static question => question.Kind, StringComparer.Ordinal)
            .SelectMany(kind => kind
                .GroupBy(static question => question.Area, StringComparer.Ordinal)
                .SelectMany(area => Hash.Order(area, static question => question.Sentence, seed).Index())
                .OrderBy(static ranked => ranked.Index)
                .Take(perKind)
                .Select(static ranked => ranked.Item))
            .OrderBy(question => Convert.ToHexString(Hash.Of(seed, question.Sentence)), StringComparer.Ordinal)
            .ToList();
}

/// <summary>The rows for training the base: prose of one type each under its name, a line per member.</summary>
internal static class Corpus
{
    /// <summary>This many rows, the first of <see cref="Build"/>, measure the base and do not train it.</summary>
    public const int HeldOutRows = 200;

    private const int RowCharacters = 460;
    private const int LongestSentence = 400;

    public static IReadOnlyList<string> Build(
        IEnumerable<Member> members, MemberTask task, string seed, long maxBytes)
    {
        var heldOutTypes = task.HeldOut.Select(static question => question.Type).ToHashSet(StringComparer.Ordinal);
        var seen = task.HeldOut.Select(static question => question.Sentence).ToHashSet(StringComparer.Ordinal);
        var rows = members
            .Where(member => IsProse(member) && !heldOutTypes.Contains(member.Type))
            .GroupBy(static member => member.Type, StringComparer.Ordinal)
            .SelectMany(type => Pack(type, seen))
            .ToList();

        var bytes = 0L;
        return Hash.Order(rows, static row => row, seed)
            .TakeWhile(row => (bytes += Line(row).Length + 1) <= maxBytes)
            .ToList();
    }

    public static byte[] Line(string text) => JsonLines.Encode(("text", text));

    // Ten thousand members there differ in the name of one machine instruction.
    private static bool IsProse(Member member) =>
        !member.Namespace.StartsWith("System.Runtime.Intrinsics", StringComparison.Ordinal);

    /// <summary>Rows that begin with a line such as <c>XmlReader in System.Xml</c>.</summary>
    private static IEnumerable<string> Pack(IGrouping<string, Member> type, HashSet<string> seen)
    {
        var space = type.First().Namespace;
        var heading = $"{Prose.ShortName(type.Key)} in {space}";
        var row = new StringBuilder(heading);
        foreach (var (index, sentence) in type.SelectMany(member => Fresh(member, seen)))
        {
            var isFirst = row.Length == heading.Length;
            if (!isFirst && row.Length + 1 + sentence.Length > RowCharacters)
            {
                yield return row.ToString();
                row.Length = heading.Length;
                isFirst = true;
            }

            row.Append(index == 0 || isFirst ? '\n' : ' ').Append(sentence);
        }

        if (row.Length > heading.Length)
            yield return row.ToString();
    }

    /// <summary>The member's sentences that have not been used, numbered from its first.</summary>
    private static IEnumerable<(int Index, string Sentence)> Fresh(Member member, HashSet<string> seen) =>
        member.Sections.SelectMany(Prose.Sentences)
            .Where(sentence => sentence.Length is > 0 and <= LongestSentence && seen.Add(sentence))
            .Index();
}

/// <summary>An order that depends on each item alone.</summary>
internal static class Hash
{
    public static byte[] Of(string seed, string text) => SHA256.HashData(Encoding.UTF8.GetBytes($"{seed}\n{text}"));

    public static IEnumerable<T> Order<T>(IEnumerable<T> items, Func<T, string> text, string seed) =>
        items.OrderBy(item => Convert.ToHexString(Of(seed, text(item))), StringComparer.Ordinal);
}

/// <summary>Writes UTF-8, one object per line, escaping only what JSON asks for.</summary>
internal static class JsonLines
{
    private static readonly JsonWriterOptions Readable = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static byte[] Encode(params ReadOnlySpan<(string Name, string Value)> fields)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Readable))
        {
            json.WriteStartObject();
            foreach (var (name, value) in fields)
                json.WriteString(name, value);
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    public static void Write(string path, IEnumerable<byte[]> lines)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        using var file = File.Create(path);
        foreach (var line in lines)
        {
            file.Write(line);
            file.WriteByte((byte)'\n');
        }
    }
}
