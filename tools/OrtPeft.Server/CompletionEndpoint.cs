using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using OrtPeft.Serving;
using OrtPeft.Serving.Engine;

namespace OrtPeft.Server;

/// <summary><c>POST /v1/completions</c>.</summary>
/// <param name="served">The model.</param>
/// <param name="options">The server's limits.</param>
/// <param name="clock">The clock.</param>
internal sealed class CompletionEndpoint(ServedModel served, ServerOptions options, TimeProvider clock)
{
    private const int MostPrompts = 128;
    private const int MostLogProbabilities = 20;

    /// <summary>Answers a request.</summary>
    public async Task HandleAsync(HttpContext context, RequestRecord record)
    {
        using var body = await JsonBody.ReadAsync(context).ConfigureAwait(false);
        var fields = new Fields(body.RootElement);
        var sampling = Sampling.Of(fields, options, served.Model.Source.Sampling);
        fields.Only("echo", static v => v.ValueKind == JsonValueKind.False, "the prompt is not repeated; leave it out.");
        fields.Only("suffix", static v => v.ValueKind == JsonValueKind.String && v.GetString()!.Length == 0,
            "texts are not filled in; leave it out.");
        fields.Only("best_of", v => v.ValueKind == JsonValueKind.Number && v.TryGetInt32(out var n) && n == sampling.Count,
            "answers are not ranked; leave it out, or give n.");
        var top = (int?)fields.Whole("logprobs", 0, MostLogProbabilities);
        var prompts = TextOrTokens.Of(fields, "prompt", MostPrompts, served.PromptOf);
        fields.End();
        record.Begin("text_completion", sampling.Model);
        if (!served.Knows(sampling.Model))
            throw served.Unknown(sampling.Model);
        using var answers = Answers.Start(served, prompts, sampling, top, isTrimmed: false, record.Cancellation);
        var head = new Head($"cmpl-{Guid.NewGuid():N}", clock.GetUtcNow().ToUnixTimeSeconds(), sampling.Model);
        if (sampling.IsStreamed)
            await StreamAsync(context, record, sampling, answers, head, top).ConfigureAwait(false);
        else
            await AnswerAsync(context, record, sampling, answers, head, top).ConfigureAwait(false);
    }

    private async Task AnswerAsync(
        HttpContext context, RequestRecord record, Sampling sampling, Answers answers, Head head, int? top)
    {
        var choices = new JsonObject[answers.Streams.Count];
        await Parallel.ForAsync(0, choices.Length, record.Cancellation, async (i, cancellation) =>
        {
            var (text, tokens) = (new StringBuilder(), new List<(EngineToken, int)>());
            await foreach (var piece in answers.Streams[i].ReadAsync(cancellation).ConfigureAwait(false))
            {
                record.Token(piece);
                if (piece.Token is { } token)
                    tokens.Add((token, text.Length));
                text.Append(piece.Text);
            }

            choices[i] = Choice(i, text.ToString(), top is null ? null : LogProbabilities(tokens),
                Answers.Reason(answers.Streams[i].FinishReason));
        }).ConfigureAwait(false);
        record.End(answers, sampling.Count);
        var body = head.Of("text_completion", new JsonArray([.. choices]));
        body["usage"] = record.Usage();
        await JsonBody.WriteAsync(context, body).ConfigureAwait(false);
    }

    private async Task StreamAsync(
        HttpContext context, RequestRecord record, Sampling sampling, Answers answers, Head head, int? top)
    {
        var stream = new EventStream(context.Response, record.Cancellation);
        var lengths = new int[answers.Streams.Count];
        stream.Begin();
        await foreach (var (i, next) in answers.ReadAsync(record.Cancellation).ConfigureAwait(false))
        {
            if (next is not { } piece)
            {
                await SendAsync(Choice(i, "", null, Answers.Reason(answers.Streams[i].FinishReason))).ConfigureAwait(false);
                continue;
            }

            record.Token(piece);
            var tokens = top is not null && piece.Token is { } token ? LogProbabilities([(token, lengths[i])]) : null;
            lengths[i] += piece.Text.Length;
            if (piece.Text.Length > 0 || tokens is not null)
                await SendAsync(Choice(i, piece.Text, tokens, null)).ConfigureAwait(false);
        }

        record.End(answers, sampling.Count);
        if (sampling.WantsUsage)
        {
            var last = head.Of("text_completion", []);
            last["usage"] = record.Usage();
            await stream.WriteAsync(last).ConfigureAwait(false);
        }

        await stream.EndAsync().ConfigureAwait(false);

        Task SendAsync(JsonObject choice)
        {
            var chunk = head.Of("text_completion", new JsonArray(choice));
            if (sampling.WantsUsage)
                chunk["usage"] = null;
            return stream.WriteAsync(chunk);
        }
    }

    private static JsonObject Choice(int index, string text, JsonObject? logProbabilities, string? reason) => new()
    {
        ["index"] = index,
        ["text"] = text,
        ["logprobs"] = logProbabilities,
        ["finish_reason"] = reason,
    };

    private JsonObject LogProbabilities(IReadOnlyList<(EngineToken Token, int Offset)> tokens) => new()
    {
        ["tokens"] = new JsonArray([.. tokens.Select(t => (JsonNode)TextOf(t.Token.Id))]),
        ["token_logprobs"] = new JsonArray(
            [.. tokens.Select(static t => (JsonNode)ChatEndpoint.LogProbabilityOf(t.Token.LogProbability!.Value))]),
        ["top_logprobs"] = new JsonArray([.. tokens.Select(t => (JsonNode)Likeliest(t.Token))]),
        ["text_offset"] = new JsonArray([.. tokens.Select(static t => (JsonNode)t.Offset)]),
    };

    private JsonObject Likeliest(EngineToken token)
    {
        var likeliest = new JsonObject();
        foreach (var (id, logProbability) in token.Likeliest)
            likeliest.TryAdd(TextOf(id), ChatEndpoint.LogProbabilityOf(logProbability));
        return likeliest;
    }

    /// <summary>A token's text; one of no whole characters as OpenAI writes its bytes.</summary>
    private string TextOf(int id)
    {
        var bytes = served.BytesOf(id);
        var text = Encoding.UTF8.GetString(bytes);
        return text.Contains('\uFFFD', StringComparison.Ordinal)
            ? $"bytes:{string.Concat(bytes.Select(static b => $"\\x{b:x2}"))}"
            : text;
    }
}
