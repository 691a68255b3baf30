using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace OrtPeft.Server.Tests;

public sealed class MalformedTests
{
    private static readonly string[] Paths =
    [
        "v1/chat/completions", "v1/completions", "v1/embeddings", "v1/load_lora_adapter", "v1/unload_lora_adapter",
    ];

    /// <summary>A good request is damaged in its bytes and in its values; whatever comes of it is an answer or an error in
    /// OpenAI's form, never a failure of the server.</summary>
    [Fact]
    public async Task Requests_DamagedAtRandom_AreAnsweredOrRefused()
    {
        await using var server = await RunningServer.StartAsync(loads: true, pools: true);
        var random = new Random(11);
        var statuses = new HashSet<int>();
        for (var i = 0; i < 400; i++)
        {
            var path = Paths[i % Paths.Length];
            var good = path.Contains("lora", StringComparison.Ordinal)
                ? new JsonObject { ["lora_name"] = "later", ["lora_path"] = "later" }
                : path.Contains("embed", StringComparison.Ordinal) ? new JsonObject { ["model"] = "one", ["input"] = "x", ["dimensions"] = 5 }
                : path.Contains("chat", StringComparison.Ordinal) ? Chat() : RunningServer.Completion("one", "x", 2);
            var body = i % 2 == 0 ? Damaged(good, random) : Encoding.UTF8.GetString(Cut(good, random));
            using var content = new StringContent(body, Encoding.UTF8, "application/json");
            using var response = await server.Client.PostAsync(new Uri(path, UriKind.Relative), content);
            var status = (int)response.StatusCode;
            statuses.Add(status);
            Assert.True(status is 200 or 400 or 404, $"{status}: {body}");
            if (status != 200)
                Assert.NotNull(JsonNode.Parse(await response.Content.ReadAsStringAsync())!["error"]!["message"]);
        }

        Assert.Contains(400, statuses);
        Assert.Contains(200, statuses);
        await server.AskAsync("v1/completions", RunningServer.Completion("one", "x"));
    }

    [Theory]
    [InlineData("GARBAGE\r\n\r\n")]
    [InlineData("POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\nContent-Type: application/json\r\n\r\n{")]
    [InlineData("POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")]
    [InlineData("GET /%00%ff/..%2f..%2fetc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n")]
    public async Task Connections_WithGarbage_DoNotHarmOthers(string bytes)
    {
        await using var server = await RunningServer.StartAsync();
        using (var client = new TcpClient())
        {
            await client.ConnectAsync(server.Server.Address.Host, server.Server.Address.Port);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(bytes));
        }

        await server.AskAsync("v1/completions", RunningServer.Completion("one", "x"));
    }

    private static JsonObject Chat()
    {
        var chat = RunningServer.Chat("one", "x", 2);
        (chat["stop"], chat["temperature"], chat["logprobs"], chat["n"]) = (new JsonArray("a"), 0.5, true, 1);
        return chat;
    }

    private static string Damaged(JsonObject good, Random random)
    {
        JsonNode?[] values =
        [
            null, -1, 1e300, "", "x\u0000", true, new JsonArray(), new JsonObject(), new JsonArray(1, "a", null),
            new JsonObject { ["type"] = "text" }, long.MaxValue, 0.5,
        ];
        var names = good.Select(static f => f.Key).Append("tools").Append("response_format").Append("stream_options").ToArray();
        good[names[random.Next(names.Length)]] = values[random.Next(values.Length)]?.DeepClone();
        if (good["messages"] is JsonArray { Count: > 0 } messages && messages[0] is JsonObject && random.Next(2) == 0)
            messages[0]![random.Next(2) == 0 ? "content" : "role"] = values[random.Next(values.Length)]?.DeepClone();
        return good.ToJsonString();
    }

    private static byte[] Cut(JsonObject good, Random random)
    {
        var bytes = Encoding.UTF8.GetBytes(good.ToJsonString());
        for (var n = random.Next(1, 4); n > 0; n--)
            bytes[random.Next(bytes.Length)] = (byte)random.Next(32, 127);
        return random.Next(3) == 0 ? bytes[..random.Next(bytes.Length)] : bytes;
    }
}
