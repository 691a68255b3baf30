using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace OrtPeft.Architecture.Tests;

/// <summary>A type's name says what it is wherever it is read, so no two types have the same.</summary>
public sealed partial class OneMeaningTests
{
    [Fact]
    public void TypeNames_InTheWholeProduct_MeanOneThing()
    {
        var root = Path.GetFullPath(Path.Combine(Here(), "../../.."));
        var names =
            from folder in (string[])["src", "tools"]
            from file in Directory.GetFiles(Path.Combine(root, folder), "*.cs", SearchOption.AllDirectories)
            from line in File.ReadLines(file)
            let type = TypeDefinition().Match(line)
            where type.Success
            select (Name: type.Groups[1].Value, File: Path.GetRelativePath(root, file));

        var twice = names.Distinct().GroupBy(static n => n.Name).Where(static g => g.Count() > 1)
            .Select(static g => $"{g.Key}: {string.Join(", ", g.Select(static n => n.File))}");

        Assert.Empty(twice);
    }

    private static string Here([CallerFilePath] string path = "") => path;

    /// <summary>A type in a namespace: its line is not indented.</summary>
    [GeneratedRegex(
        @"^(?:public|internal)(?: [a-z]+)* (?:class|record|struct|interface|enum) (\w+)",
        RegexOptions.CultureInvariant)]
    private static partial Regex TypeDefinition();
}
