using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Xml.Linq;
using OrtPeft.Testing;

namespace OrtPeft.Packages.Tests;

/// <summary>
/// A machine that has never seen OrtPeft: all packages, packed once into a folder, and a cache of its own that restores
/// fill from there. Packages of others come out of this machine's cache, or from nuget.org.
/// </summary>
[CollectionDefinition(nameof(PackedFeed))]
public sealed class PackedFeed : ICollectionFixture<PackedFeed>, IDisposable
{
    /// <summary>The platforms that have a package of the tool; on any other one, that for all is tried.</summary>
    private static readonly string[] Platforms = ["win-x64", "linux-x64", "linux-arm64", "osx-arm64"];

    private readonly TemporaryFolder _place = new();

    public PackedFeed()
    {
        Commands = new Commands(new Dictionary<string, string>
        {
            ["NUGET_PACKAGES"] = _place["cache"],
            ["DOTNET_CLI_HOME"] = _place["home"],
        });
        NewFolder("home");
        File.WriteAllText(_place["nuget.config"], Sources());
        var here = RuntimeInformation.RuntimeIdentifier;
        var platform = Platforms.Contains(here) ? here : "any";
        var configuration = Path.GetFileName(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        new Commands(new Dictionary<string, string>()).Run(
            Root, "dotnet", "pack", "packaging/Packages.slnf", "--no-restore",
            "--configuration", configuration, "--output", Feed, $"-p:ToolPackageRuntimeIdentifiers={platform}");
    }

    /// <summary>The root of the source tree.</summary>
    public static string Root { get; } = Path.GetFullPath(Path.Combine(ThisFolder(), "..", ".."));

    /// <summary>The version of all packages.</summary>
    public static string Version { get; } = XDocument.Load(Path.Combine(Root, "Directory.Build.props"))
        .Descendants("Version").Single().Value;

    /// <summary>The folder with the packages.</summary>
    public string Feed => _place["feed"];

    /// <summary>Runs programs with the cache of its own.</summary>
    internal Commands Commands { get; }

    /// <summary>A new folder, in which NuGet finds the packages.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>Its path.</returns>
    public string NewFolder(string name) => Directory.CreateDirectory(_place[name]).FullName;

    public void Dispose() => _place.Dispose();

    private string Sources()
    {
        var cache = Environment.GetEnvironmentVariable("NUGET_PACKAGES") ?? Path.Combine(
            Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        return $"""
            <configuration>
              <packageSources>
                <clear />
                <add key="packed" value="{Feed}" />
                <add key="cache" value="{cache}" />
                <add key="nuget.org" value="https://api.nuget.org/v3/index.json" protocolVersion="3" />
              </packageSources>
              <packageSourceMapping>
                <packageSource key="packed"><package pattern="OrtPeft*" /></packageSource>
                <packageSource key="cache"><package pattern="*" /></packageSource>
                <packageSource key="nuget.org"><package pattern="*" /></packageSource>
              </packageSourceMapping>
            </configuration>
            """;
    }

    private static string ThisFolder([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
