using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using OrtPeft.Serving;

namespace OrtPeft.Server.Tests;

public sealed class LoadTests
{
    private static readonly string[] Models = [RunningServer.Base, "one", "two"];

    [Fact]
    public async Task HundredsOfStreams_WithSlowAndVanishingClients_GetTheirOwnTokens()
    {
        await using var server = await RunningServer.StartAsync(
            serving: new ServingOptions { MaxBatch = 32, MaxQueue = 1000 });
        var expected = new ConcurrentDictionary<(string, string), string>();
        var words = new[] { "Gets the", "Returns", "The", "A value", "Sets", "An object that", "True if", "Initializes" };
        foreach (var (model, word) in Models.SelectMany(m => words.Select(w => (m, w))))
        {
            var alone = await server.AskAsync("v1/completions", RunningServer.Completion(model, word, 16));
            expected[(model, word)] = (string)alone["choices"]![0]!["text"]!;
        }

        var random = new Random(3);
        var whole = 0;
        await Task.WhenAll(Enumerable.Range(0, 300).Select(async i =>
        {
            var (model, word, kind) = (Models[random.Next(3)], words[random.Next(words.Length)], i % 5);
            await Task.Delay(random.Next(500));
            var body = RunningServer.Completion(model, word, 16);
            body["stream"] = true;
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("v1/completions", UriKind.Relative));
            request.Content = JsonContent.Create(body);
            using var response = await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            response.EnsureSuccessStatusCode();
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
            var text = "";
            while (await reader.ReadLineAsync() is { } line)
            {
                if (kind == 4)
                    return; // gone
                if (kind == 3)
                    await Task.Delay(20); // slow
                if (line.StartsWith("data: {", StringComparison.Ordinal))
                    text += (string?)JsonNode.Parse(line[6..])!["choices"]![0]!["text"];
            }

            Assert.Equal(expected[(model, word)], text);
            Interlocked.Increment(ref whole);
        }));

        for (var i = 0; i < 500 && server.Served.Running + server.Served.Waiting > 0; i++)
            await Task.Delay(20);
        Assert.Equal(240, whole);
        Assert.Equal((0, 0), (server.Served.Running, server.Served.Waiting));
        Assert.True(server.Served.Counts.Rows > 2 * server.Served.Counts.Steps, "Requests were not computed together.");
    }
}
