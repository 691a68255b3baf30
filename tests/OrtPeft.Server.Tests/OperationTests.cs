using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using OrtPeft.Serving;

namespace OrtPeft.Server.Tests;

public sealed class OperationTests
{
    private const string ChatPath = "v1/chat/completions";

    [Fact]
    public async Task Keys_LetIn_AndHealthNeedsNone()
    {
        await using var server = await RunningServer.StartAsync(new ServerOptions { Keys = ["alpha", "beta"] });
        var without = await server.RefusedAsync(ChatPath, "{}");
        server.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "alph");
        var wrong = await server.RefusedAsync(ChatPath, "{}");
        server.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "beta");

        await server.AskAsync(ChatPath, RunningServer.Chat("one", "x", 1));
        server.Client.DefaultRequestHeaders.Authorization = null;
        foreach (var open in new[] { "health", "healthz", "ready", "" })
            await server.Client.GetStringAsync(new Uri(open, UriKind.Relative));

        Assert.Equal((401, 401), (without.Status, wrong.Status));
        Assert.Equal("invalid_api_key", (string?)wrong.Error["code"]);
    }

    [Fact]
    public async Task Body_ThatIsTooLarge_IsStatus413()
    {
        await using var server = await RunningServer.StartAsync(new ServerOptions { MaxBody = 1000 });

        var (status, error) = await server.RefusedAsync(ChatPath, RunningServer.Chat("one", new string('x', 5000)).ToJsonString());

        Assert.Equal((413, "request_too_large"), (status, (string?)error["code"]));
    }

    [Fact]
    public async Task Queue_ThatIsFull_IsStatus429()
    {
        await using var server = await RunningServer.StartAsync(serving: new ServingOptions { MaxBatch = 1, MaxQueue = 1 });

        var responses = await Task.WhenAll(Enumerable.Range(0, 20).Select(
            _ => server.PostAsync(ChatPath, RunningServer.Chat("one", "x", 60))));

        Assert.Contains(responses, static r => (int)r.StatusCode == 429 && r.Headers.RetryAfter is not null);
        Assert.Contains(responses, static r => r.IsSuccessStatusCode);
        Assert.All(responses, static r => Assert.Contains((int)r.StatusCode, new[] { 200, 429 }));
    }

    /// <summary>More than there is ever room for is no matter of waiting.</summary>
    [Theory]
    [InlineData(3, 1, "n")]
    [InlineData(1, 3, "prompt")]
    public async Task Answers_BeyondBatchAndQueue_AreRefusedForGood(int count, int prompts, string parameter)
    {
        await using var server = await RunningServer.StartAsync(serving: new ServingOptions { MaxBatch = 1, MaxQueue = 1 });
        var asked = RunningServer.Completion("one", "x", 1);
        (asked["n"], asked["prompt"]) = (count, new JsonArray([.. Enumerable.Range(0, prompts).Select(static _ => (JsonNode)"x")]));

        var (status, error) = await server.RefusedAsync("v1/completions", asked.ToJsonString());

        Assert.Equal((400, parameter), (status, (string?)error["param"]));
        Assert.Contains("room for 2", (string?)error["message"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Request_ThatTakesTooLong_IsStatus504()
    {
        await using var server = await RunningServer.StartAsync(new ServerOptions { Timeout = TimeSpan.FromMilliseconds(1) });

        var (status, error) = await server.RefusedAsync(ChatPath, RunningServer.Chat("one", "x", 100).ToJsonString());

        Assert.Equal((504, "timeout"), (status, (string?)error["code"]));
    }

    [Fact]
    public async Task Client_ThatGoes_StopsItsAnswer()
    {
        await using var server = await RunningServer.StartAsync();
        var asked = RunningServer.Chat("one", "x", 100);
        (asked["stream"], asked["n"]) = (true, 8);
        using (var request = new HttpRequestMessage(HttpMethod.Post, new Uri(ChatPath, UriKind.Relative)))
        {
            request.Content = System.Net.Http.Json.JsonContent.Create(asked);
            using var response = await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            await using var stream = await response.Content.ReadAsStreamAsync();
            Assert.True(await stream.ReadAsync(new byte[10]) > 0);
        }

        for (var i = 0; i < 500 && server.Served.Running + server.Served.Waiting > 0; i++)
            await Task.Delay(20);

        Assert.Equal((0, 0), (server.Served.Running, server.Served.Waiting));
    }

    [Fact]
    public async Task Stop_LetsRunningAnswersEnd()
    {
        await using var server = await RunningServer.StartAsync();
        var running = server.AskAsync(ChatPath, RunningServer.Chat("one", "x", 100));
        while (server.Served.Running + server.Served.Waiting == 0 && !running.IsCompleted)
            await Task.Delay(1);

        await server.Server.StopAsync();

        Assert.InRange((int)(await running)["usage"]!["completion_tokens"]!, 1, 100);
        await Assert.ThrowsAsync<HttpRequestException>(() => server.PostAsync(ChatPath, RunningServer.Chat("one", "x")));
    }

    [Fact]
    public async Task Adapters_AreLoadedAndUnloaded_FromTheirFolderAlone()
    {
        await using var server = await RunningServer.StartAsync(loads: true);
        var outside = new JsonObject { ["lora_name"] = "x", ["lora_path"] = "../model" };
        var absolute = new JsonObject { ["lora_name"] = "x", ["lora_path"] = Path.Combine(server.Folder, "model") };
        Directory.CreateSymbolicLink(Path.Combine(server.Folder, "adapters", "link"), Path.Combine(server.Folder, "model"));
        var link = new JsonObject { ["lora_name"] = "x", ["lora_path"] = "link" };
        var taken = new JsonObject { ["lora_name"] = "one", ["lora_path"] = "later" };
        foreach (var wrong in new[] { outside, absolute, link, taken })
            Assert.Equal(400, (await server.RefusedAsync("v1/load_lora_adapter", wrong.ToJsonString())).Status);

        await server.AskAsync("v1/load_lora_adapter", new JsonObject { ["lora_name"] = "later", ["lora_path"] = "later" });
        var later = await server.AskAsync(ChatPath, RunningServer.Chat("later", "Gets the"));
        var one = await server.AskAsync(ChatPath, RunningServer.Chat("one", "Gets the"));
        await server.AskAsync("v1/unload_lora_adapter", new JsonObject { ["lora_name"] = "later" });
        var gone = await server.RefusedAsync(ChatPath, RunningServer.Chat("later", "x").ToJsonString());

        Assert.NotEqual((string?)one["choices"]![0]!["message"]!["content"], (string?)later["choices"]![0]!["message"]!["content"]);
        Assert.Equal((404, "model_not_found"), (gone.Status, (string?)gone.Error["code"]));
        Assert.Equal(404, (await server.RefusedAsync("v1/unload_lora_adapter", """{"lora_name": "later"}""")).Status);
    }
}
