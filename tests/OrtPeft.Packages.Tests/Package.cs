using System.IO.Compression;
using System.Xml.Linq;

namespace OrtPeft.Packages.Tests;

/// <summary>What stands in a package.</summary>
internal sealed class Package
{
    private readonly XElement _metadata;

    private Package(ZipArchive archive)
    {
        Files = [.. archive.Entries.Select(static e => e.FullName)];
        var file = archive.Entries.Single(static e => e.FullName.EndsWith(".nuspec", StringComparison.Ordinal));
        using var nuspec = file.Open();
        var root = XDocument.Load(nuspec).Root!;
        _metadata = root.Element(root.Name.Namespace + "metadata")!;
    }

    /// <summary>The packages of a folder.</summary>
    public static IReadOnlyList<Package> In(string folder, string extension = "nupkg") =>
        [.. Directory.GetFiles(folder, $"*.{extension}").Order(StringComparer.Ordinal).Select(Open)];

    /// <summary>The files in it.</summary>
    public IReadOnlyList<string> Files { get; }

    public string Id => this["id"];

    /// <summary>A field of the nuspec; empty where it is absent.</summary>
    public string this[string field] => _metadata.Element(_metadata.Name.Namespace + field)?.Value ?? "";

    /// <summary>The packages it asks for, each with its range of versions.</summary>
    public IReadOnlyDictionary<string, string> Dependencies => _metadata
        .Descendants(_metadata.Name.Namespace + "dependency").ToDictionary(
            static d => d.Attribute("id")!.Value, static d => d.Attribute("version")!.Value);

    private static Package Open(string path)
    {
        using var archive = ZipFile.OpenRead(path);
        return new Package(archive);
    }
}
