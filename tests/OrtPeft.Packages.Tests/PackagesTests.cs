namespace OrtPeft.Packages.Tests;

/// <summary>What is packed.</summary>
[Collection(nameof(PackedFeed))]
public sealed class PackagesTests(PackedFeed feed)
{
    private const string Templates = "OrtPeft.Templates";

    [Fact]
    public void Packages_AreOnePerLibrary_TheTools_AndTheTemplates()
    {
        var libraries = Directory.GetDirectories(Path.Combine(PackedFeed.Root, "src")).Select(Path.GetFileName);

        var packed = Package.In(feed.Feed).Select(static p => p.Id);

        Assert.Equal(libraries.Append(Templates).Order(), packed.Where(static id => !IsTool(id)).Order());
        Assert.Equal(2, packed.Count(IsTool));
    }

    [Fact]
    public void Package_SaysWhatItIs()
    {
        Assert.All(Package.In(feed.Feed), static package =>
        {
            Assert.Equal(PackedFeed.Version, package["version"]);
            Assert.NotEqual("", package["description"]);
            Assert.Equal("onnx onnxruntime lora peft fine-tuning llm genai", package["tags"]);
            Assert.Equal("MIT", package["license"]);
            Assert.Contains(package["readme"], package.Files);
            Assert.Contains(package["icon"], package.Files);
        });
    }

    [Fact]
    public void Library_AsksForItsOwnVersion_AndForNoNativeRuntime()
    {
        var asked = Package.In(feed.Feed).SelectMany(static p => p.Dependencies)
            .ToLookup(static d => d.Key, static d => d.Value);

        Assert.Contains(asked, static a => a.Key == "Microsoft.ML.OnnxRuntime.Managed");
        Assert.DoesNotContain(asked, static a => a.Key is "Microsoft.ML.OnnxRuntime" or "Microsoft.ML.OnnxRuntime.Gpu");
        Assert.All(asked.Where(static a => a.Key.StartsWith("OrtPeft", StringComparison.Ordinal)),
            static a => Assert.All(a, static range => Assert.Equal($"[{PackedFeed.Version}]", range)));
    }

    [Fact]
    public void Library_WithCode_HasDocumentation_AndSymbols()
    {
        var symbols = Package.In(feed.Feed, "snupkg").Select(static p => p.Id);

        Package[] libraries =
            [.. Package.In(feed.Feed).Where(static p => !IsTool(p.Id) && p.Id is not ("OrtPeft" or Templates))];

        Assert.Equal(libraries.Select(static p => p.Id), symbols);
        Assert.All(libraries, static p => Assert.Contains($"lib/net10.0/{p.Id}.xml", p.Files));
    }

    private static bool IsTool(string id) => id.StartsWith("OrtPeft.Cli", StringComparison.Ordinal);
}
