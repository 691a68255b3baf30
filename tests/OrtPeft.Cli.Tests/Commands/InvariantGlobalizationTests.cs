using System.Diagnostics;
using System.Text.Json.Nodes;
using OrtPeft.Cli.Tests.Running;

namespace OrtPeft.Cli.Tests.Commands;

/// <summary>The command without ICU, as in small container images: .NET then normalises nothing by itself.</summary>
public sealed class InvariantGlobalizationTests(Workplace place) : IClassFixture<Workplace>
{
    [Fact]
    public void Eval_OfDecomposedText_HasTheLossOfTheComposedOne()
    {
        var model = place.CopyOf(place.Model, "composing");
        var file = Path.Combine(model, "tokenizer.json");
        var json = JsonNode.Parse(File.ReadAllText(file))!;
        json["normalizer"] = new JsonObject { ["type"] = "NFC" };
        File.WriteAllText(file, json.ToJsonString());

        var composed = Eval(model, """{"text":"the caf\u00e9 \u1e69 \uac01"}""");
        var decomposed = Eval(model, """{"text":"the cafe\u0301 s\u0307\u0323 \u1100\u1161\u11a8"}""");

        Assert.Equal((int)composed["tokens"]!, (int)decomposed["tokens"]!);
        Assert.Equal((double)composed["loss"]!, (double)decomposed["loss"]!);
    }

    private JsonNode Eval(string model, string row)
    {
        var rows = place.Write($"{Path.GetRandomFileName()}.jsonl", row);
        string[] arguments =
            [Path.Combine(AppContext.BaseDirectory, "ortpeft.dll"), "eval", model, "--data", rows, "--json"];
        var start = new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true };
        start.Environment["DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"] = "1";
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return JsonNode.Parse(output)!;
    }
}
