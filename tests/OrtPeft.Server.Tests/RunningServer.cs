using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using OrtPeft.Adapters.Lora;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Serving;
using OrtPeft.Testing;
using OrtPeft.Text;

namespace OrtPeft.Server.Tests;

/// <summary>A server on a free port, over the small GPT-2 of <c>models/</c> with a chat template, and two adapters.</summary>
internal sealed class RunningServer : IAsyncDisposable
{
    public const string Base = "base";

    private const string Template =
        "{% if tools %}Tools: {{ tools | tojson }} <tool_call>{\"name\": \"f\", \"arguments\": {}}</tool_call>\n{% endif %}"
        + "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant:";

    private readonly TemporaryFolder _folder;
    private readonly ServedModel _served;
    private readonly ApiServer _server;

    private RunningServer(TemporaryFolder folder, ServedModel served, ApiServer server, ConcurrentQueue<string> log)
    {
        (_folder, _served, _server, Log) = (folder, served, server, log);
        Client = new HttpClient { BaseAddress = server.Address, Timeout = TimeSpan.FromSeconds(100) };
    }

    public HttpClient Client { get; }

    public ServedModel Served => _served;

    public ApiServer Server => _server;

    public ConcurrentQueue<string> Log { get; }

    public string Folder => _folder.Path;

    [SuppressMessage("Reliability", "CA2000", Justification = "The result owns the model.")]
    public static async Task<RunningServer> StartAsync(
        ServerOptions? options = null, ServingOptions? serving = null, bool hasTemplate = true, bool loads = false,
        bool pools = false)
    {
        var folder = new TemporaryFolder();
        var model = Directory.CreateDirectory(folder["model"]).FullName;
        var source = Path.GetFullPath(Path.Combine(Fixtures.Folder, "..", "..", "models", "tiny-gpt2-apidocs"));
        foreach (var file in Directory.GetFiles(source))
            File.Copy(file, Path.Combine(model, Path.GetFileName(file)));
        if (hasTemplate)
            await File.WriteAllTextAsync(Path.Combine(model, "chat_template.jinja"), Template);
        if (pools)
        {
            await File.WriteAllTextAsync(Path.Combine(model, "modules.json"), """
                [{"type": "sentence_transformers.models.Transformer", "path": ""},
                 {"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"},
                 {"type": "sentence_transformers.models.Normalize", "path": "2_Normalize"}]
                """);
            Directory.CreateDirectory(Path.Combine(model, "1_Pooling"));
            await File.WriteAllTextAsync(Path.Combine(model, "1_Pooling", "config.json"), """{"pooling_mode_lasttoken": true}""");
        }

        var text = TextModel.Open(model);
        foreach (var (i, name) in new[] { "one", "two", "later" }.Index())
        {
            text.AddAdapter(
                new LoraConfig { R = 2 + (2 * i), LoraAlpha = 64, InitLoraWeights = false }, seed: i + 1).Save(folder[$"adapters/{name}"]);
        }

        var served = ServedModel.Open(
            text,
            new Dictionary<string, string> { ["one"] = folder["adapters/one"], ["two"] = folder["adapters/two"] },
            (serving ?? new ServingOptions { MaxBatch = 16, AllowsLoading = loads }) with { Runtime = new RuntimeOptions { Threads = 1 } },
            Base);
        var log = new ConcurrentQueue<string>();
        var server = await ApiServer.StartAsync(served, (options ?? new ServerOptions()) with
        {
            Port = 0,
            Log = log.Enqueue,
            AdapterFolder = loads ? folder["adapters"] : null,
        });
        return new RunningServer(folder, served, server, log);
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "The client disposes what it has sent.")]
    public Task<HttpResponseMessage> PostAsync(string path, JsonNode body) =>
        Client.PostAsync(new Uri(path, UriKind.Relative), JsonContent.Create(body));

    public async Task<JsonNode> AskAsync(string path, JsonNode body)
    {
        using var response = await PostAsync(path, body);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }

    public async Task<(int Status, JsonNode Error)> RefusedAsync(string path, string body, string type = "application/json")
    {
        using var content = new StringContent(body, Encoding.UTF8, type);
        using var response = await Client.PostAsync(new Uri(path, UriKind.Relative), content);
        var error = JsonNode.Parse(await response.Content.ReadAsStringAsync())!["error"]!;
        Assert.NotEmpty((string)error["message"]!);
        Assert.NotEmpty((string)error["type"]!);
        return ((int)response.StatusCode, error);
    }

    /// <summary>A stream's events; the last is checked and left out.</summary>
    public async Task<List<JsonNode>> StreamAsync(string path, JsonObject body)
    {
        body["stream"] = true;
        using var response = await PostAsync(path, body);
        var text = await response.Content.ReadAsStringAsync();
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        var events = text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("data: [DONE]", events[^1]);
        return [.. events[..^1].Select(static e => JsonNode.Parse(e["data: ".Length..])!)];
    }

    public static JsonObject Chat(string model, string question, int maxTokens = 12) => new()
    {
        ["model"] = model,
        ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = question }),
        ["max_tokens"] = maxTokens,
    };

    public static JsonObject Completion(string model, string prompt, int maxTokens = 12) => new()
    {
        ["model"] = model,
        ["prompt"] = prompt,
        ["max_tokens"] = maxTokens,
    };

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _server.DisposeAsync();
        _served.Dispose();
        _folder.Dispose();
    }
}
