using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace OrtPeft.Architecture.Tests;

/// <summary>Summaries are sentences of their own.</summary>
public sealed partial class SummariesTests
{
    [Fact]
    public void Summaries_HaveSubjects()
    {
        var lacking =
            from folder in (string[])["src", "tools"]
            from file in Directory.EnumerateFiles(Path.Combine(Root(), folder), "*.cs", SearchOption.AllDirectories)
            from match in NoSubject().Matches(File.ReadAllText(file))
            select $"{file}: {match.Groups[1].Value}";

        Assert.Empty(lacking);
    }

    private static string Root([CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", ".."));

    [GeneratedRegex(@"<summary>\s*(?:///\s*)?((?:What|Who|Which|That) [^\n]*)")]
    private static partial Regex NoSubject();
}
