using System.Diagnostics;
using System.Text.Json.Nodes;
using OrtPeft.Testing;

namespace OrtPeft.Server.Tests;

public sealed class OpenAiClientTests
{
    public static string Folder { get; } = Path.GetFullPath(Path.Combine(Fixtures.Folder, "..", "OpenAiClient"));

    [NodeFact]
    public async Task Client_OfOpenAi_UnderstandsAnswersStreamsAndErrors()
    {
        await using var server = await RunningServer.StartAsync(new ServerOptions { Keys = ["secret"] }, pools: true);
        var start = new ProcessStartInfo("node") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in new[] { Path.Combine(Folder, "run.mjs"), server.Server.Address.ToString(), "one" })
            start.ArgumentList.Add(argument);
        using var node = Process.Start(start)!;
        var complaints = node.StandardError.ReadToEndAsync();
        var output = await node.StandardOutput.ReadToEndAsync();
        await node.WaitForExitAsync();
        Assert.True(node.ExitCode == 0, await complaints);
        var result = JsonNode.Parse(output)!;

        Assert.Equal("base one two", string.Join(" ", result["models"]!.AsArray().Select(static m => (string?)m)));
        Assert.Equal("one", (string?)result["model"]);
        Assert.NotEmpty((string)result["chat"]!);
        Assert.Equal((string?)result["chat"], (string?)result["stream"]);
        Assert.Equal((string?)result["chat"], (string?)result["helper"]);
        Assert.Equal("length", (string?)result["finish"]);
        Assert.Equal(10, (int)result["logprobs"]!);
        Assert.Equal(result["usage"]!.ToJsonString(), result["streamUsage"]!.ToJsonString());
        Assert.Equal(4, result["completions"]!.AsArray().Count);
        Assert.Equal([128, 128], result["embeddings"]!.AsArray().Select(static n => (int)n!));
        Assert.True((bool)result["embeddingsAgree"]!);
        Assert.Equal((int)result["embeddingUsage"]!["total_tokens"]!, (int)result["embeddingUsage"]!["prompt_tokens"]!);
        Assert.Equal(
            [
                "NotFoundError 404 model_not_found", "BadRequestError 400 unsupported_parameter",
                "BadRequestError 400 invalid_value", "AuthenticationError 401 invalid_api_key",
            ],
            result["errors"]!.AsArray().Select(static e => (string)e!));
    }
}
