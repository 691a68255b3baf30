using System.Xml.Linq;

namespace OrtPeft.Packages.Tests;

/// <summary>What is packed, and what it does on a machine that has only the packages.</summary>
public sealed class PackagesTests(PackedFeed feed) : IClassFixture<PackedFeed>
{
    private static readonly string Version = XDocument.Load(Path.Combine(PackedFeed.Root, "Directory.Build.props"))
        .Descendants("Version").Single().Value;

    [Fact]
    public void Packages_AreOnePerLibrary_AndTheTools()
    {
        var libraries = Directory.GetDirectories(Path.Combine(PackedFeed.Root, "src")).Select(Path.GetFileName);

        var packed = Package.In(feed.Feed).Select(static p => p.Id);

        Assert.Equal(libraries.Order(), packed.Where(static id => !IsTool(id)).Order());
        Assert.Equal(2, packed.Count(IsTool));
    }

    [Fact]
    public void Package_SaysWhatItIs()
    {
        Assert.All(Package.In(feed.Feed), static package =>
        {
            Assert.Equal(Version, package["version"]);
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
        var asked = Package.In(feed.Feed).SelectMany(static p => p.Dependencies).ToLookup(static d => d.Key, static d => d.Value);

        Assert.Contains(asked, static a => a.Key == "Microsoft.ML.OnnxRuntime.Managed");
        Assert.DoesNotContain(asked, static a => a.Key is "Microsoft.ML.OnnxRuntime" or "Microsoft.ML.OnnxRuntime.Gpu");
        Assert.All(asked.Where(static a => a.Key.StartsWith("OrtPeft", StringComparison.Ordinal)),
            static a => Assert.All(a, static range => Assert.Equal($"[{Version}]", range)));
    }

    [Fact]
    public void Library_WithCode_HasDocumentation_AndSymbols()
    {
        var symbols = Package.In(feed.Feed, "snupkg").Select(static p => p.Id);

        var libraries = Package.In(feed.Feed).Where(static p => !IsTool(p.Id) && p.Id != "OrtPeft").ToArray();

        Assert.Equal(libraries.Select(static p => p.Id), symbols);
        Assert.All(libraries, static p => Assert.Contains($"lib/net10.0/{p.Id}.xml", p.Files));
    }

    [Fact]
    public void Tool_Installed_TrainsAndGenerates()
    {
        var folder = feed.NewFolder("tool");
        var model = Path.Combine(PackedFeed.Root, "models", "tiny-gpt2-apidocs");
        File.WriteAllLines(Path.Combine(folder, "rows.jsonl"), ["""{"text":"ONNX Runtime runs models anywhere."}"""]);
        feed.Commands.Run(folder, "dotnet", "tool", "install", "OrtPeft.Cli", "--tool-path", "bin");
        var ortpeft = Path.Combine(folder, "bin", "ortpeft");

        var version = feed.Commands.Run(folder, ortpeft, "--version");
        feed.Commands.Run(folder, ortpeft, "train", model, "--data", "rows.jsonl", "--out", "adapter", "--steps", "2");
        var text = feed.Commands.Run(
            folder, ortpeft, "generate", model, "--adapter", "adapter", "--prompt", "Gets the", "--max-new-tokens", "4");

        Assert.Equal($"ortpeft {Version}\n", version);
        Assert.True(File.Exists(Path.Combine(folder, "adapter", "adapter_model.safetensors")));
        Assert.NotEqual("", text.Trim());
    }

    private static bool IsTool(string id) => id.StartsWith("OrtPeft.Cli", StringComparison.Ordinal);
}
