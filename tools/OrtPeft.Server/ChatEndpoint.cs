using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using OrtPeft.Serving;
using OrtPeft.Serving.Engine;
using OrtPeft.Serving.Texts;

namespace OrtPeft.Server;

/// <summary><c>POST /v1/chat/completions</c>.</summary>
/// <param name="served">The model.</param>
/// <param name="options">The server's limits.</param>
/// <param name="clock">The clock.</param>
internal sealed class ChatEndpoint(ServedModel served, ServerOptions options, TimeProvider clock)
{
    /// <summary>Answers a request.</summary>
    public async Task HandleAsync(HttpContext context, RequestRecord record)
    {
        using var body = await JsonBody.ReadAsync(context).ConfigureAwait(false);
        var request = ChatRequest.Of(body.RootElement, options, served);
        record.Begin("chat", request.Sampling.Model);
        if (!served.Knows(request.Sampling.Model))
            throw served.Unknown(request.Sampling.Model);
        using var answers = Answers.Start(
            served, [served.PromptOf(request.Conversation)], request.Sampling, request.TopLogProbabilities,
            isTrimmed: !served.HasTemplate, record.Cancellation);
        var form = request.Conversation.Tools is null ? null : served.ToolCalls;
        var head = new Head($"chatcmpl-{Guid.NewGuid():N}", clock.GetUtcNow().ToUnixTimeSeconds(), request.Sampling.Model);
        if (request.Sampling.IsStreamed)
            await StreamAsync(context, record, request, answers, form, head).ConfigureAwait(false);
        else
            await AnswerAsync(context, record, request, answers, form, head).ConfigureAwait(false);
    }

    private async Task AnswerAsync(
        HttpContext context, RequestRecord record, ChatRequest request, Answers answers, ToolCallForm? form, Head head)
    {
        var choices = new JsonObject[answers.Streams.Count];
        await Parallel.ForAsync(0, choices.Length, record.Cancellation, async (i, cancellation) =>
        {
            var (text, tokens, reader) = (new System.Text.StringBuilder(), new JsonArray(), new ToolCallReader(form));
            await foreach (var piece in answers.Streams[i].ReadAsync(cancellation).ConfigureAwait(false))
            {
                record.Token(piece);
                text.Append(reader.Append(piece.Text));
                if (piece.Token is { } token && request.TopLogProbabilities is not null)
                    tokens.Add(LogProbability(token));
            }

            var (calls, rest) = reader.End();
            text.Append(rest);
            choices[i] = new JsonObject
            {
                ["index"] = i,
                ["message"] = Message(text.ToString(), calls),
                ["logprobs"] = request.TopLogProbabilities is null ? null : new JsonObject { ["content"] = tokens, ["refusal"] = null },
                ["finish_reason"] = calls.Count > 0 ? "tool_calls" : Answers.Reason(answers.Streams[i].FinishReason),
            };
        }).ConfigureAwait(false);
        record.End(answers, request.Sampling.Count);
        var body = head.Of("chat.completion", new JsonArray([.. choices]));
        body["usage"] = record.Usage();
        await JsonBody.WriteAsync(context, body).ConfigureAwait(false);
    }

    private static JsonObject Message(string text, IReadOnlyList<ToolCall> calls)
    {
        var message = new JsonObject
        {
            ["role"] = "assistant",
            ["content"] = calls.Count > 0 && string.IsNullOrWhiteSpace(text) ? null : text,
            ["refusal"] = null,
        };
        if (calls.Count > 0)
            message["tool_calls"] = new JsonArray([.. calls.Select(static c => (JsonNode)Call(c))]);
        return message;
    }

    private async Task StreamAsync(
        HttpContext context, RequestRecord record, ChatRequest request, Answers answers, ToolCallForm? form, Head head)
    {
        var stream = new EventStream(context.Response, record.Cancellation);
        var readers = answers.Streams.Select(_ => new ToolCallReader(form)).ToArray();
        stream.Begin();
        for (var i = 0; i < readers.Length; i++)
            await SendAsync(i, new JsonObject { ["role"] = "assistant", ["content"] = "" }, null, null).ConfigureAwait(false);
        await foreach (var (i, next) in answers.ReadAsync(record.Cancellation).ConfigureAwait(false))
        {
            if (next is { } piece)
            {
                record.Token(piece);
                var text = readers[i].Append(piece.Text);
                var tokens = piece.Token is { } token && request.TopLogProbabilities is not null
                    ? new JsonObject { ["content"] = new JsonArray(LogProbability(token)), ["refusal"] = null }
                    : null;
                if (text.Length > 0 || tokens is not null)
                    await SendAsync(i, new JsonObject { ["content"] = text }, tokens, null).ConfigureAwait(false);
                continue;
            }

            var (calls, rest) = readers[i].End();
            if (rest.Length > 0)
                await SendAsync(i, new JsonObject { ["content"] = rest }, null, null).ConfigureAwait(false);
            foreach (var (n, call) in calls.Index())
            {
                var delta = Call(call);
                delta["index"] = n;
                await SendAsync(i, new JsonObject { ["tool_calls"] = new JsonArray(delta) }, null, null).ConfigureAwait(false);
            }

            await SendAsync(
                i, [], null, calls.Count > 0 ? "tool_calls" : Answers.Reason(answers.Streams[i].FinishReason)).ConfigureAwait(false);
        }

        record.End(answers, request.Sampling.Count);
        if (request.Sampling.WantsUsage)
        {
            var last = head.Of("chat.completion.chunk", []);
            last["usage"] = record.Usage();
            await stream.WriteAsync(last).ConfigureAwait(false);
        }

        await stream.EndAsync().ConfigureAwait(false);

        Task SendAsync(int index, JsonObject delta, JsonObject? logProbabilities, string? reason)
        {
            var chunk = head.Of("chat.completion.chunk", new JsonArray(new JsonObject
            {
                ["index"] = index,
                ["delta"] = delta,
                ["logprobs"] = logProbabilities,
                ["finish_reason"] = reason,
            }));
            if (request.Sampling.WantsUsage)
                chunk["usage"] = null;
            return stream.WriteAsync(chunk);
        }
    }

    private static JsonObject Call(ToolCall call) => new()
    {
        ["id"] = $"call_{Guid.NewGuid():N}",
        ["type"] = "function",
        ["function"] = new JsonObject { ["name"] = call.Name, ["arguments"] = call.Arguments },
    };

    private JsonObject LogProbability(EngineToken token)
    {
        var entry = Entry(token.Id, token.LogProbability!.Value);
        entry["top_logprobs"] = new JsonArray(
            [.. token.Likeliest.Select(t => (JsonNode)Entry(t.Id, t.LogProbability))]);
        return entry;
    }

    private JsonObject Entry(int id, double logProbability)
    {
        var bytes = served.BytesOf(id);
        return new JsonObject
        {
            ["token"] = System.Text.Encoding.UTF8.GetString(bytes),
            ["logprob"] = LogProbabilityOf(logProbability),
            ["bytes"] = new JsonArray([.. bytes.Select(static b => (JsonNode)(int)b)]),
        };
    }

    /// <summary>JSON has no infinities; OpenAI writes this for tokens that never come.</summary>
    internal static double LogProbabilityOf(double value) => double.IsFinite(value) ? value : -9999;
}
