using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using OrtPeft.Serving.Texts;

namespace OrtPeft.Server;

/// <summary>One request: when it began, what it is for, what was counted, and what ends it. Counting is thread-safe.</summary>
internal sealed class RequestRecord : IDisposable
{
    private readonly TimeProvider _clock;
    private readonly long _began;
    private readonly CancellationTokenSource _source;
    private readonly CancellationTokenSource? _time;
    private long _firstToken;
    private int _promptTokens;
    private int _answerTokens;

    /// <summary>Begins one.</summary>
    /// <param name="context">The request.</param>
    /// <param name="options">The longest time.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="stop">Breaks answers off.</param>
    public RequestRecord(HttpContext context, ServerOptions options, TimeProvider clock, CancellationToken stop)
    {
        _clock = clock;
        _began = clock.GetTimestamp();
        Id = IdOf(context.Request.Headers["X-Request-Id"]);
        _time = options.Timeout is { } time ? new CancellationTokenSource(time, clock) : null;
        _source = CancellationTokenSource.CreateLinkedTokenSource(
            context.RequestAborted, stop, _time?.Token ?? CancellationToken.None);
    }

    /// <summary>Names it in logs and in the response.</summary>
    public string Id { get; }

    /// <summary>Ends it: the client has gone, the time is over, or the server stops.</summary>
    public CancellationToken Cancellation => _source.Token;

    /// <summary>Whether its time is over.</summary>
    public bool IsTimedOut => _time?.IsCancellationRequested == true;

    /// <summary>The operation that it asks for, by OpenTelemetry's word; null where that is not known yet.</summary>
    public string? Operation { get; private set; }

    /// <summary>The model it asks for.</summary>
    public string? Model { get; private set; }

    /// <summary>How long it has taken.</summary>
    public TimeSpan Elapsed => _clock.GetElapsedTime(_began);

    /// <summary>How long its first token took; null before.</summary>
    public TimeSpan? ToFirstToken => Interlocked.Read(ref _firstToken) is > 0 and var at ? _clock.GetElapsedTime(_began, at) : null;

    /// <summary>Tokens of the prompts.</summary>
    public int PromptTokens => _promptTokens;

    /// <summary>Tokens of the answers so far.</summary>
    public int AnswerTokens => Volatile.Read(ref _answerTokens);

    /// <summary>Notes what it asks for.</summary>
    public void Begin(string operation, string model) => (Operation, Model) = (operation, model);

    /// <summary>Counts a token.</summary>
    public void Token(TextPiece piece)
    {
        if (piece.Token is null)
            return;
        if (Interlocked.Increment(ref _answerTokens) == 1)
            Interlocked.Exchange(ref _firstToken, _clock.GetTimestamp());
    }

    /// <summary>Notes the prompts' tokens.</summary>
    /// <param name="answers">The answers.</param>
    /// <param name="count">How many belong to one prompt.</param>
    public void End(Answers answers, int count) => Prompts(answers.PromptTokens(count));

    /// <summary>Notes the prompts' tokens.</summary>
    public void Prompts(int tokens) => _promptTokens = tokens;

    /// <summary>The counts, as OpenAI's API gives them.</summary>
    public JsonObject Usage() => new()
    {
        ["prompt_tokens"] = PromptTokens,
        ["completion_tokens"] = AnswerTokens,
        ["total_tokens"] = PromptTokens + AnswerTokens,
    };

    /// <summary>The line for the log.</summary>
    public string Line(HttpContext context, string? error)
    {
        var line = string.Create(
            CultureInfo.InvariantCulture,
            $"{_clock.GetUtcNow():yyyy-MM-ddTHH:mm:ss.fffZ} {Id} {context.Request.Method} {Plain(context.Request.Path.Value)} {context.Response.StatusCode} {Elapsed.TotalMilliseconds:F0} ms");
        if (Operation is not null)
            line += string.Create(CultureInfo.InvariantCulture, $", model {Plain(Model)}, {PromptTokens} + {AnswerTokens} tokens");
        return error is null ? line : $"{line}, {Plain(error)}";
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _source.Dispose();
        _time?.Dispose();
    }

    /// <summary>A client's text, cut and without control characters, so that it cannot forge lines or fill the log.</summary>
    private static string Plain(string? text) =>
        new([.. (text ?? "").Take(200).Select(static c => char.IsControl(c) ? '?' : c)]);

    private static string IdOf(string? given) =>
        given is { Length: > 0 and <= 64 } && given.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')
            ? given
            : $"req_{Guid.NewGuid():N}";
}
