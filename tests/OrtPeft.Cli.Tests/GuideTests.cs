using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using OrtPeft.Models;

namespace OrtPeft.Cli.Tests;

/// <summary>The guide's page of messages quotes what the sources say, and links of all pages lead somewhere.</summary>
public sealed partial class GuideTests
{
    private static readonly string Root = Path.GetFullPath(Path.Combine(Here(), "../.."));

    [Fact]
    public void Troubleshooting_QuotesMessagesThatExist()
    {
        var sources = Sources();
        var firstCells = File.ReadLines(Path.Combine(Root, "docs/guide/troubleshooting.md"))
            .Where(static line => line.StartsWith("| `", StringComparison.Ordinal))
            .Select(static line => line.Split('|')[1]);

        string[] messages = [.. firstCells.SelectMany(static cell => Code().Matches(cell)).Select(static m => m.Value)];

        Assert.NotEmpty(messages);
        Assert.All(messages, message => Assert.All(
            Fragments(message), part => Assert.True(
                sources.Contains(part, StringComparison.Ordinal), $"No source says '{part}', of `{message}`.")));
    }

    /// <summary>scripts/ModelTable.cs makes the table; a new family has a row, run or not.</summary>
    [Fact]
    public void Models_HasARowForEachFamily()
    {
        var families = File.ReadLines(Path.Combine(Root, "docs/models.md")).Select(static line => line.Split(" | "))
            .Where(static cells => cells.Length > 1 && cells[1].StartsWith("HF folder", StringComparison.Ordinal))
            .Select(static cells => cells[0][2..]).Distinct();

        Assert.Equal(ModelFamilies.ModelTypes.Order(StringComparer.Ordinal), families.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Links_LeadToFilesAndHeadings()
    {
        string[] pages =
        [
            Path.Combine(Root, "README.md"),
            .. new[] { "docs", "models", "packaging", "scripts", "samples", "templates" }.SelectMany(static folder =>
                Directory.EnumerateFiles(Path.Combine(Root, folder), "*.md", SearchOption.AllDirectories)
                    .Where(static page => !page.Contains("node_modules", StringComparison.Ordinal))),
        ];

        Assert.All(pages, static page => Assert.All(
            Link().Matches(File.ReadAllText(page)).Select(static m => m.Groups[1].Value), link => Assert.True(
                Leads(page, link), $"{Path.GetRelativePath(Root, page)} has a link to {link}.")));
    }

    private static bool Leads(string page, string link)
    {
        if (link.Contains("://", StringComparison.Ordinal))
            return true;
        var (path, heading) = link.Split('#') is [var before, var after] ? (before, after) : (link, null);
        var target = path.Length == 0 ? page : Path.Combine(Path.GetDirectoryName(page)!, path);
        return Path.Exists(target) && (heading is null || Headings(target).Contains(heading));
    }

    /// <summary>The anchors that a page's headings get.</summary>
    private static IEnumerable<string> Headings(string page) => File.ReadLines(page)
        .Where(static line => line.StartsWith('#'))
        .Select(static line => NoAnchor().Replace(line.TrimStart('#').Trim().ToLowerInvariant(), "").Replace(' ', '-'));

    /// <summary>The parts of a message that no run fills in: values, options and names are left out.</summary>
    private static IEnumerable<string> Fragments(string message) => FilledIn().Split(message)
        .Select(static part => part.Trim(' ', ',', '.', '='))
        .Where(static part => part.Length > 3);

    /// <summary>All code, with texts that go on in the next line joined.</summary>
    private static string Sources()
    {
        var files = new[] { "src", "tools" }.SelectMany(static folder =>
            Directory.EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories));
        return Continuation().Replace(string.Join('\n', files.Select(File.ReadAllText)), "");
    }

    private static string Here([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NoAnchor();

    [GeneratedRegex("(?<=`)[^`]{12,}(?=`)")]
    private static partial Regex Code();

    [GeneratedRegex(@"[…;:()]|'[^']*'|""[^""]*""|--[a-z-]+|\b[NMVRW]\b|\b\d[\w.,-]*|^warning: |[a-z_]+\.safetensors")]
    private static partial Regex FilledIn();

    [GeneratedRegex("\"\\s*\\+\\s*\\$?\"|\"\\)\\s*\\+\\s*(FormattableString\\.Invariant\\()?\\$?\"")]
    private static partial Regex Continuation();
}
