using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace OrtPeft.Architecture.Tests;

/// <summary>
/// Namespaces beside each other know each other one way, within a project too. A namespace and those inside it are one
/// subject and may know each other: tables in the outer one name what is inside, which uses the outer one's base types.
/// </summary>
public sealed partial class NamespacesTests
{
    private static readonly Source[] Sources = [.. ReadSources()];

    /// <summary>What may go in circles, and why.</summary>
    private static readonly (string[] Namespaces, string Reason)[] Circles =
    [
        (
            [
                "OrtPeft.Tokenizers.Chat.Jinja.Library", "OrtPeft.Tokenizers.Chat.Jinja.Library.Formatting",
                "OrtPeft.Tokenizers.Chat.Jinja.Runtime", "OrtPeft.Tokenizers.Chat.Jinja.Tree",
                "OrtPeft.Tokenizers.Chat.Jinja.Values",
            ],
            "an interpreter: values are called, calls run the tree, the tree makes values"),
        (
            ["OrtPeft.Kernels.LowRank", "OrtPeft.Kernels.Operators", "OrtPeft.Kernels.Products"],
            "operators run on products, and products finish their tiles as operators would"),
    ];

    [Fact]
    public void Namespaces_BesideEachOther_KnowEachOtherOneWay()
    {
        var arrows = Sources.SelectMany(Arrows).Where(static a => !AreNested(a.From, a.To)).ToLookup(
            static a => a.From, static a => a.To);

        var circles = arrows.Select(static a => a.Key).Select(name => Circle(name, arrows))
            .Where(static c => c.Length > 1).Select(static c => string.Join(" ↔ ", c)).Distinct();

        Assert.Equal(Circles.Select(static c => string.Join(" ↔ ", c.Namespaces)).Order(), circles.Order());
    }

    [Fact]
    public void Graphs_KnowNothingOfTheirFiles()
    {
        var graphs = Sources.Where(static s => s.Namespace == "OrtPeft.Onnx");

        Assert.DoesNotContain(graphs.SelectMany(Arrows), static a => a.To == "OrtPeft.Onnx.Serialization");
    }

    /// <summary>The namespaces that a file's code names types of. Type names mean one thing in the whole product, so a
    /// name, together with the line that imports it, tells the namespace.</summary>
    private static IEnumerable<(string From, string To)> Arrows(Source source) =>
        from word in source.Words
        from type in Types[word]
        where type.Project == source.Project && type.Namespace != source.Namespace
            && (source.Imports.Contains(type.Namespace) || IsInside(source.Namespace, type.Namespace)
                || source.Text.Contains($"{type.Namespace.Split('.')[^1]}.{word}", StringComparison.Ordinal))
        select (source.Namespace, type.Namespace);

    /// <summary>The namespaces that a namespace reaches and that reach it, itself included, sorted.</summary>
    private static string[] Circle(string name, ILookup<string, string> arrows) =>
        [.. Reached(name, arrows).Where(other => Reached(other, arrows).Contains(name)).Append(name).Distinct()
            .Order(StringComparer.Ordinal)];

    private static HashSet<string> Reached(string name, ILookup<string, string> arrows)
    {
        var reached = new HashSet<string>();
        var queue = new Queue<string>([name]);
        while (queue.TryDequeue(out var from))
        {
            foreach (var to in arrows[from].Where(reached.Add))
                queue.Enqueue(to);
        }

        return reached;
    }

    private static bool AreNested(string one, string other) => IsInside(one, other) || IsInside(other, one);

    private static bool IsInside(string inner, string outer) =>
        inner.StartsWith(outer + ".", StringComparison.Ordinal);

    private static ILookup<string, Source> Types { get; } = Sources
        .SelectMany(static s => TypeDefinition().Matches(s.Text).Select(m => (Name: m.Groups[1].Value, Source: s)))
        .ToLookup(static t => t.Name, static t => t.Source);

    private static IEnumerable<Source> ReadSources()
    {
        var root = Path.GetFullPath(Path.Combine(Here(), "../../.."));
        return
            from folder in Directory.GetDirectories(Path.Combine(root, "src"))
                .Append(Path.Combine(root, "tools/OrtPeft.Cli"))
            from file in Directory.GetFiles(folder, "*.cs", SearchOption.AllDirectories)
            let text = Comment().Replace(File.ReadAllText(file), "")
            let name = NamespaceLine().Match(text)
            where name.Success
            select new Source(Path.GetFileName(folder), name.Groups[1].Value, text)
            {
                Imports = [.. UsingLine().Matches(text).Select(static m => m.Groups[1].Value)],
                Words = [.. Word().Matches(text[name.Index..]).Select(static m => m.Value)],
            };
    }

    private static string Here([CallerFilePath] string path = "") => path;

    [GeneratedRegex(@"//.*")]
    private static partial Regex Comment();

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex NamespaceLine();

    [GeneratedRegex(@"^using (?:static )?([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex UsingLine();

    [GeneratedRegex(@"\b[A-Z]\w+\b")]
    private static partial Regex Word();

    [GeneratedRegex(
        @"^(?:public|internal)(?: [a-z]+)* (?:class|record|struct|interface|enum|delegate [^(]*) (\w+)",
        RegexOptions.Multiline)]
    private static partial Regex TypeDefinition();

    private sealed record Source(string Project, string Namespace, string Text)
    {
        public required HashSet<string> Imports { get; init; }

        public required HashSet<string> Words { get; init; }
    }
}
