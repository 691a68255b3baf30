using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text.Json.Nodes;
using OrtPeft.Inference.Generation;
using OrtPeft.Text;

namespace OrtPeft.Server.Tests;

public sealed class ApiTests : IAsyncLifetime
{
    private const string ChatPath = "v1/chat/completions";
    private const string CompletionPath = "v1/completions";

    private RunningServer _server = null!;

    public async Task InitializeAsync() => _server = await RunningServer.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Theory]
    [InlineData(null)]
    [InlineData("one")]
    [InlineData("two")]
    public async Task Answers_AreWhatTheModelWithTheAdapterGives(string? adapter)
    {
        var model = TextModel.Open(Path.Combine(_server.Folder, "model"));
        using var generator = model.OpenGenerator(
            adapter is null ? null : model.LoadAdapter(Path.Combine(_server.Folder, "adapters", adapter)));
        var options = new GenerationOptions { MaxNewTokens = 12 };

        var chat = await _server.AskAsync(ChatPath, RunningServer.Chat(adapter ?? RunningServer.Base, "Gets the"));
        var completion = await _server.AskAsync(CompletionPath, RunningServer.Completion(adapter ?? RunningServer.Base, "Gets the"));

        Assert.Equal(
            string.Concat(generator.StartChat((string?)null, options).Stream("Gets the")),
            (string?)chat["choices"]![0]!["message"]!["content"]);
        Assert.Equal(generator.Generate("Gets the", options), (string?)completion["choices"]![0]!["text"]);
        Assert.Equal("length", (string?)completion["choices"]![0]!["finish_reason"]);
        Assert.Equal(12, (int)completion["usage"]!["completion_tokens"]!);
        Assert.Equal(model.Tokenizer.Encode("Gets the").Count, (int)completion["usage"]!["prompt_tokens"]!);
    }

    [Fact]
    public async Task Streams_JoinToTheSameAnswer()
    {
        var asked = RunningServer.Chat("one", "Returns a value é", 40);
        asked["stop"] = new JsonArray("zzz", ".");
        var whole = await _server.AskAsync(ChatPath, asked.DeepClone());

        asked["stream_options"] = new JsonObject { ["include_usage"] = true };
        var events = await _server.StreamAsync(ChatPath, asked);

        Assert.Equal(
            (string?)whole["choices"]![0]!["message"]!["content"],
            string.Concat(events[..^1].Select(static e => (string?)e["choices"]![0]!["delta"]!["content"])));
        Assert.Equal((string?)whole["choices"]![0]!["finish_reason"], (string?)events[^2]["choices"]![0]!["finish_reason"]);
        Assert.Equal(whole["usage"]!.ToJsonString(), events[^1]["usage"]!.ToJsonString());
        Assert.Empty(events[^1]["choices"]!.AsArray());
        Assert.Equal("assistant", (string?)events[0]["choices"]![0]!["delta"]!["role"]);
    }

    [Fact]
    public async Task SeveralAnswers_AreSeededOneByOneAndRepeat()
    {
        var asked = RunningServer.Completion("two", "The", 8);
        (asked["n"], asked["temperature"], asked["seed"]) = (3, 1.0, 7);

        var first = await _server.AskAsync(CompletionPath, asked.DeepClone());
        var again = await _server.AskAsync(CompletionPath, asked.DeepClone());
        (asked["n"], asked["seed"]) = (1, 8);
        var second = await _server.AskAsync(CompletionPath, asked);

        Assert.Equal(first["choices"]!.ToJsonString(), again["choices"]!.ToJsonString());
        Assert.Equal((string?)first["choices"]![1]!["text"], (string?)second["choices"]![0]!["text"]);
        Assert.Equal(24, (int)first["usage"]!["completion_tokens"]!);
    }

    [Fact]
    public async Task LogProbabilities_AreOfEachTokenAndTheLikeliest()
    {
        var asked = RunningServer.Chat("one", "Gets", 5);
        (asked["logprobs"], asked["top_logprobs"]) = (true, 2);

        var answer = await _server.AskAsync(ChatPath, asked);
        var tokens = answer["choices"]![0]!["logprobs"]!["content"]!.AsArray();

        Assert.Equal(5, tokens.Count);
        Assert.All(tokens, static token =>
        {
            var likeliest = token!["top_logprobs"]!.AsArray();
            Assert.Equal(2, likeliest.Count);
            Assert.Equal((double)token["logprob"]!, (double)likeliest[0]!["logprob"]!);
            Assert.InRange((double)token["logprob"]!, -100, 0);
            Assert.True((double)likeliest[1]!["logprob"]! <= (double)likeliest[0]!["logprob"]!);
        });
        Assert.Equal(
            (string?)answer["choices"]![0]!["message"]!["content"],
            string.Concat(tokens.Select(static t => (string?)t!["token"])));
    }

    [Fact]
    public async Task Prompts_MayBeTokensAndSeveral()
    {
        var model = TextModel.Open(Path.Combine(_server.Folder, "model"));
        var ids = new JsonArray([.. model.Tokenizer.Encode("Gets the").Select(static id => (JsonNode)id)]);
        var asked = RunningServer.Completion("one", "");
        asked["prompt"] = new JsonArray(ids.DeepClone(), new JsonArray(1, 2));
        var several = await _server.AskAsync(CompletionPath, asked);
        var text = await _server.AskAsync(CompletionPath, RunningServer.Completion("one", "Gets the"));

        Assert.Equal((string?)text["choices"]![0]!["text"], (string?)several["choices"]![0]!["text"]);
        Assert.Equal(2, several["choices"]!.AsArray().Count);
    }

    [Theory]
    [InlineData(ChatPath, """{"model": "nobody", "messages": [{"role": "user", "content": "x"}]}""", 404, "model_not_found")]
    [InlineData(ChatPath, """{"messages": [{"role": "user", "content": "x"}]}""", 400, "invalid_value")]
    [InlineData(ChatPath, """{"model": "one", "messages": []}""", 400, "invalid_value")]
    [InlineData(ChatPath, """{"model": "one", "messages": [{"role": "x", "content": "x"}]}""", 400, "invalid_value")]
    [InlineData(ChatPath, """{"model": "one", "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}""", 400, "unsupported_parameter")]
    [InlineData(ChatPath, """{"model": "one", "messages": [{"role": "user", "content": "x"}], "response_format": {"type": "json_object"}}""", 400, "unsupported_parameter")]
    [InlineData(ChatPath, """{"model": "one", "messages": [{"role": "user", "content": "x"}], "no_such_thing": 1}""", 400, "unsupported_parameter")]
    [InlineData(ChatPath, """{"model": "one", "messages": [{"role": "user", "content": "x"}], "logit_bias": {"5": 1}}""", 400, "unsupported_parameter")]
    [InlineData(ChatPath, """{"model": "one", "messages": [{"role": "user", "content": "x"}], "temperature": 3}""", 400, "invalid_value")]
    [InlineData(ChatPath, """{"model": "one", "messages": [{"role": "user", "content": "x"}], "max_tokens": 100000}""", 400, "invalid_value")]
    [InlineData(ChatPath, """{"model": "one", "messages": [{"role": "user", "content": "\ud800"}]}""", 400, "invalid_json")]
    [InlineData(ChatPath, """{"model": "one", "model": "two", "messages": [{"role": "user", "content": "x"}]}""", 400, "invalid_json")]
    [InlineData(ChatPath, "{", 400, "invalid_json")]
    [InlineData(ChatPath, "[]", 400, null)]
    [InlineData(CompletionPath, """{"model": "one", "prompt": [[]]}""", 400, "invalid_value")]
    [InlineData(CompletionPath, """{"model": "one", "prompt": [99999999]}""", 400, "invalid_value")]
    [InlineData(CompletionPath, """{"model": "one", "prompt": "x", "echo": true}""", 400, "unsupported_parameter")]
    [InlineData(CompletionPath, """{"model": "one", "prompt": "x", "best_of": 4}""", 400, "unsupported_parameter")]
    [InlineData("v1/embeddings", """{"model": "one", "input": "x"}""", 404, "unsupported_endpoint")]
    [InlineData("v1/nothing", "{}", 404, "not_found")]
    [InlineData("v1/load_lora_adapter", """{"lora_name": "x", "lora_path": "later"}""", 403, "not_allowed")]
    public async Task Requests_ThatCannotBeFollowed_AreRefusedInOpenAisForm(string path, string body, int status, string? code)
    {
        var (actual, error) = await _server.RefusedAsync(path, body);

        Assert.Equal((status, code), (actual, (string?)error["code"]));
    }

    [Fact]
    public async Task Requests_OfOtherTypesOrNamesOrTooLong_AreRefused()
    {
        var (type, _) = await _server.RefusedAsync(ChatPath, RunningServer.Chat("one", "x").ToJsonString(), "text/plain");
        var (length, error) = await _server.RefusedAsync(
            CompletionPath, RunningServer.Completion("one", string.Concat(Enumerable.Repeat(" the", 200))).ToJsonString());
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("v1/models", UriKind.Relative));
        request.Headers.Host = "evil.example";
        using var rebound = await _server.Client.SendAsync(request);

        Assert.Equal(415, type);
        Assert.Equal((400, "context_length_exceeded"), (length, (string?)error["code"]));
        Assert.Equal(403, (int)rebound.StatusCode);
    }

    [Fact]
    public async Task Models_ListsTheBaseAndTheAdapters()
    {
        var models = JsonNode.Parse(await _server.Client.GetStringAsync(new Uri("v1/models", UriKind.Relative)))!;
        var one = JsonNode.Parse(await _server.Client.GetStringAsync(new Uri("v1/models/one", UriKind.Relative)))!;

        Assert.Equal([RunningServer.Base, "one", "two"], models["data"]!.AsArray().Select(static m => (string)m!["id"]!));
        Assert.Equal(RunningServer.Base, (string?)one["parent"]);
    }

    [Fact]
    public async Task Log_HasIdsAndCounts_AndNoTexts()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(ChatPath, UriKind.Relative));
        request.Content = System.Net.Http.Json.JsonContent.Create(RunningServer.Chat("one", "a secret question"));
        request.Headers.Add("X-Request-Id", "my-id");
        using var response = await _server.Client.SendAsync(request);
        var metrics = await _server.Client.GetStringAsync(new Uri("metrics", UriKind.Relative));

        var line = Assert.Single(_server.Log);
        Assert.Equal("my-id", Assert.Single(response.Headers.GetValues("X-Request-Id")));
        Assert.Contains(" my-id POST /v1/chat/completions 200 ", line, StringComparison.Ordinal);
        Assert.EndsWith(" + 12 tokens", line, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", line, StringComparison.Ordinal);
        Assert.Contains("gen_ai_server_time_to_first_token_seconds_count{", metrics, StringComparison.Ordinal);
        Assert.Contains("gen_ai_request_model=\"one\"", metrics, StringComparison.Ordinal);
        Assert.Contains("ortpeft_requests_running 0\n", metrics, StringComparison.Ordinal);
    }

    /// <summary>The conventions' names, units and bounds; times of tokens are of answers that succeeded alone.</summary>
    /// <seealso href="https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/"/>
    [Fact]
    public async Task Metrics_HaveOpenTelemetrysNames()
    {
        using var listener = new MeterListener();
        var seen = new ConcurrentBag<(string Name, string? Unit, string Tags)>();
        listener.InstrumentPublished = static (instrument, l) =>
        {
            if (instrument.Meter.Name == "OrtPeft.Server" && instrument.Name.StartsWith("gen_ai.", StringComparison.Ordinal))
                l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<double>((i, _, tags, _) => seen.Add(Seen(i, tags)));
        listener.SetMeasurementEventCallback<long>((i, _, tags, _) => seen.Add(Seen(i, tags)));
        listener.Start();

        await _server.AskAsync(ChatPath, RunningServer.Chat("two", "Gets", 4));
        var refused = RunningServer.Chat("two", "Gets", 4);
        refused["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = new string('x', 4000) });
        await _server.RefusedAsync(ChatPath, refused.ToJsonString());
        var page = await _server.Client.GetStringAsync(new Uri("metrics", UriKind.Relative));

        const string Asked = "gen_ai.operation.name=chat,gen_ai.provider.name=ortpeft,gen_ai.request.model=two";
        const string Answered = Asked + ",gen_ai.response.model=two";
        (string, string?, string)[] expected =
        [
            ("gen_ai.client.token.usage", "{token}", Answered + ",gen_ai.token.type=input"),
            ("gen_ai.client.token.usage", "{token}", Answered + ",gen_ai.token.type=output"),
            ("gen_ai.server.request.duration", "s", Answered),
            ("gen_ai.server.request.duration", "s", Asked + ",error.type=context_length_exceeded"),
            ("gen_ai.server.time_per_output_token", "s", Answered),
            ("gen_ai.server.time_to_first_token", "s", Answered),
        ];
        var ofTwo = seen.Where(static s => s.Tags.Contains("model=two", StringComparison.Ordinal));
        Assert.Equal(expected.Order(), ofTwo.Select(static s => (s.Name, s.Unit, s.Tags)).Order());
        Assert.Contains("# TYPE gen_ai_client_token_usage histogram\n", page, StringComparison.Ordinal);
        Assert.Contains("gen_ai_token_type=\"output\",le=\"4\"} 1\n", page, StringComparison.Ordinal);
        Assert.Contains("le=\"81.92\"", page, StringComparison.Ordinal);

        static (string Name, string? Unit, string Tags) Seen(Instrument i, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
            (i.Name, i.Unit, string.Join(",", tags.ToArray().Select(static t => $"{t.Key}={t.Value}")));
    }

    [Fact]
    public async Task Tools_GoThroughTheTemplate()
    {
        var asked = RunningServer.Chat("one", "Gets", 4);
        asked["tools"] = new JsonArray(new JsonObject
        {
            ["type"] = "function",
            ["function"] = new JsonObject { ["name"] = "weather", ["parameters"] = new JsonObject { ["type"] = "object" } },
        });
        var with = await _server.AskAsync(ChatPath, asked.DeepClone());
        asked["tool_choice"] = "none";
        var without = await _server.AskAsync(ChatPath, asked.DeepClone());
        asked["tool_choice"] = "required";
        var (status, _) = await _server.RefusedAsync(ChatPath, asked.ToJsonString());

        Assert.True((int)with["usage"]!["prompt_tokens"]! > (int)without["usage"]!["prompt_tokens"]!);
        Assert.Equal(400, status);
    }
}
