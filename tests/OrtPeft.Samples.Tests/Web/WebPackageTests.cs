using System.Text.Json;
using OrtPeft.Testing;

namespace OrtPeft.Samples.Tests.Web;

/// <summary>The npm package of <c>packaging/npm</c>, on what the command exports.</summary>
public sealed class WebPackageTests(ExportedAdapters exported) : IClassFixture<ExportedAdapters>
{
    [NodeTheory]
    [InlineData("test/adapter-file.test.js")]
    [InlineData("test/session.test.js")]
    [InlineData("test/types.test.js")]
    public void Package_InNode_PassesItsTests(string file) => Passes(file);

    [ChromiumFact]
    public void Package_InChromium_PassesItsTests() => Passes("test/page.test.js");

    private void Passes(string file)
    {
        using var scratch = new TemporaryFolder();
        File.WriteAllText(scratch["expected.json"], JsonSerializer.Serialize(new
        {
            ids = ExportedAdapters.Prompt,
            @base = exported.Logits(null),
            a = exported.Logits("a"),
            b = exported.Logits("b"),
        }));
        var variables = new Dictionary<string, string> { ["EXPORTED"] = exported.Required, ["EXPECTED"] = scratch["expected.json"] };

        var output = WebSample.NodeIn(WebSample.Package, variables, "--test", file);

        Assert.Contains("# fail 0", output, StringComparison.Ordinal);
        Assert.Contains("# skipped 0", output, StringComparison.Ordinal);
    }
}
