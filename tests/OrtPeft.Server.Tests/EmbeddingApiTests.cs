using System.Runtime.InteropServices;
using System.Text.Json.Nodes;

namespace OrtPeft.Server.Tests;

public sealed class EmbeddingApiTests : IAsyncLifetime
{
    private const string Path = "v1/embeddings";

    private RunningServer _server = null!;

    public async Task InitializeAsync() => _server = await RunningServer.StartAsync(pools: true);

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task Inputs_InEachForm_GiveTheSameEmbeddings()
    {
        int[][] tokens = [[.. _server.Served.EmbeddedOf("Gets the")], [.. _server.Served.EmbeddedOf("Sets")]];
        var texts = await Ask(new JsonArray("Gets the", "Sets"));

        var first = await Ask("Gets the");
        var ids = await Ask(new JsonArray([.. tokens[0].Select(static t => (JsonNode)t)]));
        var both = await Ask(new JsonArray([.. tokens.Select(static of => (JsonNode)new JsonArray([.. of.Select(static t => (JsonNode)t)]))]));

        Assert.Equal("list", (string?)texts["object"]);
        Assert.Equal("base", (string?)texts["model"]);
        Assert.Equal(tokens.Sum(static t => t.Length), (int)texts["usage"]!["prompt_tokens"]!);
        Assert.Equal(texts["usage"]!["prompt_tokens"]!.ToJsonString(), texts["usage"]!["total_tokens"]!.ToJsonString());
        Assert.Equal([0, 1], texts["data"]!.AsArray().Select(static d => (int)d!["index"]!));
        Assert.Equal(texts["data"]![0]!.ToJsonString(), first["data"]![0]!.ToJsonString());
        Assert.Equal(first.ToJsonString(), ids.ToJsonString());
        Assert.Equal(texts.ToJsonString(), both.ToJsonString());
        Assert.NotEqual(texts["data"]![0]!["embedding"]!.ToJsonString(), texts["data"]![1]!["embedding"]!.ToJsonString());
    }

    [Fact]
    public async Task Encodings_AndDimensions_HoldTheSameNumbers()
    {
        var floats = Vector(await Ask("Gets the"));

        var packed = await Ask("Gets the", new() { ["encoding_format"] = "base64" });
        var cut = Vector(await Ask("Gets the", new() { ["dimensions"] = 3, ["encoding_format"] = "float", ["user"] = "me" }));

        Assert.Equal(floats, MemoryMarshal.Cast<byte, float>(Convert.FromBase64String((string)packed["data"]![0]!["embedding"]!)).ToArray());
        Assert.Equal(128, floats.Length);
        Assert.Equal(1, floats.Sum(static v => v * v), 1e-5);
        var length = MathF.Sqrt(floats.Take(3).Sum(static v => v * v));
        Assert.All(floats.Take(3).Zip(cut), p => Assert.Equal(p.First / length, p.Second, 1e-5));
    }

    [Fact]
    public async Task Models_ChooseTheAdapterWhileAllAskAtOnce()
    {
        string[] models = [RunningServer.Base, "one", "two"];
        var alone = new List<string>();
        foreach (var model in models)
            alone.Add((await Ask("Gets the", new() { ["model"] = model }))["data"]!.ToJsonString());

        var together = await Task.WhenAll(Enumerable.Range(0, 30).Select(
            async i => (await Ask("Gets the", new() { ["model"] = models[i % 3] }))["data"]!.ToJsonString()));

        Assert.Equal(3, alone.Distinct().Count());
        Assert.All(together.Index(), a => Assert.Equal(alone[a.Index % 3], a.Item));
    }

    /// <summary>More texts than the queue holds are one request; and none stands in the log.</summary>
    [Fact]
    public async Task Inputs_BeyondTheQueue_AreOneRequest()
    {
        var answer = await Ask(new JsonArray([.. Enumerable.Range(0, 600).Select(static i => (JsonNode)$"secret {i}")]));

        Assert.Equal(600, answer["data"]!.AsArray().Count);
        var metrics = await _server.Client.GetStringAsync(new Uri("metrics", UriKind.Relative));
        Assert.Contains("gen_ai_operation_name=\"embeddings\"", metrics, StringComparison.Ordinal);
        Assert.Single(_server.Log, static l => l.Contains("/v1/embeddings", StringComparison.Ordinal));
        Assert.DoesNotContain(_server.Log, static l => l.Contains("secret", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("""{"input": "x"}""", 400, "model")]
    [InlineData("""{"model": "nobody", "input": "x"}""", 404, "model")]
    [InlineData("""{"model": "one"}""", 400, "input")]
    [InlineData("""{"model": "one", "input": ""}""", 400, "input")]
    [InlineData("""{"model": "one", "input": ["a", ""]}""", 400, "input")]
    [InlineData("""{"model": "one", "input": []}""", 400, "input")]
    [InlineData("""{"model": "one", "input": [[]]}""", 400, null)]
    [InlineData("""{"model": "one", "input": [[1], ["a"]]}""", 400, "input")]
    [InlineData("""{"model": "one", "input": {"text": "a"}}""", 400, "input")]
    [InlineData("""{"model": "one", "input": [2048]}""", 400, null)]
    [InlineData("""{"model": "one", "input": [-1]}""", 400, null)]
    [InlineData("""{"model": "one", "input": "x", "dimensions": 129}""", 400, "dimensions")]
    [InlineData("""{"model": "one", "input": "x", "dimensions": 0}""", 400, "dimensions")]
    [InlineData("""{"model": "one", "input": "x", "encoding_format": "int8"}""", 400, "encoding_format")]
    [InlineData("""{"model": "one", "input": "x", "temperature": 1}""", 400, "temperature")]
    public async Task Requests_ThatCannotBeFollowed_AreRefused(string body, int status, string? parameter)
    {
        var (found, error) = await _server.RefusedAsync(Path, body);

        Assert.Equal((status, parameter), (found, (string?)error["param"]));
    }

    [Fact]
    public async Task Requests_TooLong_AreRefused()
    {
        var many = new JsonArray([.. Enumerable.Range(0, 2049).Select(static _ => (JsonNode)"x")]);
        var (status, error) = await _server.RefusedAsync(Path, new JsonObject { ["model"] = "one", ["input"] = many }.ToJsonString());
        Assert.Equal((400, "input"), (status, (string?)error["param"]));

        var text = string.Concat(Enumerable.Repeat("Gets the ", 200));
        (status, error) = await _server.RefusedAsync(Path, new JsonObject { ["model"] = "one", ["input"] = text }.ToJsonString());
        Assert.Equal((400, "context_length_exceeded"), (status, (string?)error["code"]));
    }

    private static float[] Vector(JsonNode answer) =>
        [.. answer["data"]![0]!["embedding"]!.AsArray().Select(static v => (float)v!)];

    private Task<JsonNode> Ask(JsonNode input, JsonObject? more = null)
    {
        var body = new JsonObject { ["model"] = RunningServer.Base, ["input"] = input };
        foreach (var (name, value) in more ?? [])
            body[name] = value!.DeepClone();
        return _server.AskAsync(Path, body);
    }
}
