using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.ML.OnnxRuntime;
using OrtPeft.Adapters;
using OrtPeft.Serving;
using OrtPeft.Tensors;
using OrtPeft.Tokenizers.Chat;

namespace OrtPeft.Server;

/// <summary>OpenAI's API over a served model. Dispose it to close the port; the model stays open.</summary>
internal sealed class ApiServer : IAsyncDisposable
{
    private readonly ServedModel _served;
    private readonly ServerOptions _options;
    private readonly WebApplication _app;
    private readonly TimeProvider _clock;
    private readonly BearerKeys _keys;
    private readonly ServerMetrics _metrics;
    private readonly CancellationTokenSource _breakOff = new();
    private readonly ChatEndpoint _chat;
    private readonly CompletionEndpoint _completion;
    private readonly EmbeddingEndpoint _embedding;
    private readonly AdapterEndpoints _adapters;
    private readonly long _created;
    private int _open;
    private volatile bool _isStopping;

    private ApiServer(ServedModel served, ServerOptions options, TimeProvider clock)
    {
        (_served, _options, _clock) = (served, options, clock);
        _keys = new BearerKeys(options.Keys);
        _metrics = new ServerMetrics(served);
        _chat = new ChatEndpoint(served, options, clock);
        _completion = new CompletionEndpoint(served, options, clock);
        _embedding = new EmbeddingEndpoint(served);
        _adapters = new AdapterEndpoints(served, options);
        _created = clock.GetUtcNow().ToUnixTimeSeconds();
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = options.MaxBody;
            if (options.Host == "localhost" && options.Port != 0)
                kestrel.ListenLocalhost(options.Port);
            else
                kestrel.Listen(AddressOf(options.Host), options.Port);
        });
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = options.Grace + TimeSpan.FromSeconds(5));
        _app = builder.Build();
        _app.Run(ServeAsync);
    }

    /// <summary>Where it listens.</summary>
    public Uri Address => new(_app.Services.GetRequiredService<IServer>().Features
        .Get<IServerAddressesFeature>()!.Addresses.First().Replace("[::]", "localhost", StringComparison.Ordinal)
        .Replace("0.0.0.0", "localhost", StringComparison.Ordinal));

    /// <summary>Opens the port.</summary>
    /// <param name="served">The model; the caller disposes it after the server.</param>
    /// <param name="options">Where to listen, and limits.</param>
    /// <param name="clock">The clock; the system's when left out.</param>
    /// <returns>The server, which answers already.</returns>
    /// <exception cref="IOException">The port is taken.</exception>
    public static async Task<ApiServer> StartAsync(ServedModel served, ServerOptions options, TimeProvider? clock = null)
    {
        var server = new ApiServer(served, options, clock ?? TimeProvider.System);
        try
        {
            await server._app.StartAsync().ConfigureAwait(false);
            return server;
        }
        catch
        {
            await server.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Takes no more requests, lets the running ones end within the time of grace, and closes the port.</summary>
    public async Task StopAsync()
    {
        _isStopping = true;
        _breakOff.CancelAfter(_options.Grace);
        while (Volatile.Read(ref _open) > 0 && !_breakOff.IsCancellationRequested)
            await Task.Delay(20, CancellationToken.None).ConfigureAwait(false);
        await _app.StopAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _breakOff.CancelAsync().ConfigureAwait(false);
        await _app.DisposeAsync().ConfigureAwait(false);
        _metrics.Dispose();
        _breakOff.Dispose();
    }

    private static System.Net.IPAddress AddressOf(string host) =>
        host == "localhost" ? System.Net.IPAddress.Loopback
        : System.Net.IPAddress.TryParse(host, out var address) ? address
        : throw new SettingException($"'{host}' is not an address to listen at; give one such as 0.0.0.0, or localhost.");

    private async Task ServeAsync(HttpContext context)
    {
        using var record = new RequestRecord(context, _options, _clock, _breakOff.Token);
        context.Response.Headers["X-Request-Id"] = record.Id;
        context.Response.Headers.XContentTypeOptions = "nosniff";
        Interlocked.Increment(ref _open);
        string? error = null;
        string? type = null;
        try
        {
            await RouteAsync(context, record).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            var known = Known(e, record, context);
            error = known?.Body["error"]!["code"]?.ToString() ?? known?.Message ?? "the client has gone";
            type = known is null ? "disconnected"
                : known.Body["error"]!["code"]?.ToString() ?? known.Status.ToString(CultureInfo.InvariantCulture);
            if (known?.Status == 500)
                error = $"{e.GetType().Name}: {e.Message.ReplaceLineEndings(" ")}";
            if (known is null)
                context.Abort();
            else
                await AnswerAsync(context, known).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }

        _metrics.Count(record, error is null ? context.Response.StatusCode : Math.Max(400, context.Response.StatusCode),
            _served.Knows(record.Model), type);
        if (!IsQuiet(context.Request.Path.Value))
            _options.Log(record.Line(context, error));
    }

    private static bool IsQuiet(string? path) => path is "/health" or "/healthz" or "/ready" or "/metrics";

    private async Task RouteAsync(HttpContext context, RequestRecord record)
    {
        if (_options.IsLocal && !IsOwnName(context.Request.Host.Host))
            throw new ApiException(403, "This server answers for this machine alone; its name is localhost.", "not_allowed");
        var (path, method) = (context.Request.Path.Value ?? "/", context.Request.Method);
        switch (path)
        {
            case "/health" or "/healthz":
                await JsonBody.WriteAsync(context, new JsonObject { ["status"] = "ok" }).ConfigureAwait(false);
                return;
            case "/ready":
                await JsonBody.WriteAsync(
                    context, new JsonObject { ["status"] = _isStopping ? "stopping" : "ready" }, _isStopping ? 503 : 200)
                    .ConfigureAwait(false);
                return;
            case "/" when method == "GET":
                await ChatPage.WriteAsync(context).ConfigureAwait(false);
                return;
        }

        if (!_keys.Allow(context.Request.Headers.Authorization))
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
            throw new ApiException(401, "The key is missing or wrong; send Authorization: Bearer KEY.", "invalid_api_key");
        }

        if (_isStopping)
            throw new ApiException(503, "The server is stopping.", "stopping");
        await (path switch
        {
            "/metrics" => For("GET", () => MetricsAsync(context)),
            "/v1/models" => For("GET", () => JsonBody.WriteAsync(context, Models())),
            "/v1/chat/completions" or "/v1/completions" when _served.WhyNoAnswers is { } why => throw Without(why),
            "/v1/embeddings" when _served.WhyNoEmbeddings is { } why => throw Without(why),
            "/v1/chat/completions" => For("POST", () => _chat.HandleAsync(context, record)),
            "/v1/completions" => For("POST", () => _completion.HandleAsync(context, record)),
            "/v1/embeddings" => For("POST", () => _embedding.HandleAsync(context, record)),
            "/v1/load_lora_adapter" => For("POST", () => _adapters.LoadAsync(context)),
            "/v1/unload_lora_adapter" => For("POST", () => _adapters.UnloadAsync(context)),
            _ when path.StartsWith("/v1/models/", StringComparison.Ordinal) =>
                For("GET", () => JsonBody.WriteAsync(context, One(path["/v1/models/".Length..]))),
            _ => throw new ApiException(404, $"There is no {path} here.", "not_found"),
        }).ConfigureAwait(false);

        Task For(string expected, Func<Task> handle)
        {
            if (method == expected)
                return handle();
            context.Response.Headers.Allow = expected;
            throw new ApiException(405, $"{path} takes {expected}.", "method_not_allowed");
        }
    }

    private static ApiException Without(string why) => new(404, why, "unsupported_endpoint");

    /// <summary>Pages of other sites that give their name this machine's address are not let in.</summary>
    private static bool IsOwnName(string host) => host.Length == 0 || host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (System.Net.IPAddress.TryParse(host.Trim('[', ']'), out var address) && System.Net.IPAddress.IsLoopback(address));

    private Task MetricsAsync(HttpContext context)
    {
        context.Response.ContentType = PrometheusPage.ContentType;
        return context.Response.WriteAsync(_metrics.Page.Text());
    }

    private JsonObject Models() => new()
    {
        ["object"] = "list",
        ["data"] = new JsonArray([.. _served.Adapters.Prepend(_served.Name).Select(n => (JsonNode)Model(n))]),
    };

    private JsonObject One(string name) => _served.Knows(name) ? Model(name) : throw _served.Unknown(name);

    private JsonObject Model(string name) => new()
    {
        ["id"] = name,
        ["object"] = "model",
        ["created"] = _created,
        ["owned_by"] = "ortpeft",
        ["parent"] = name == _served.Name ? null : _served.Name,
    };

    /// <summary>The error for the client; null where the client has gone.</summary>
    private static ApiException? Known(Exception e, RequestRecord record, HttpContext context) => e switch
    {
        ApiException api => api,
        UnknownModelException => new ApiException(404, e.Message, "model_not_found", "model"),
        QueueFullException => Busy(context, e),
        ChatTemplateException => new ApiException(400, e.Message, "invalid_messages", "messages"),
        SettingException => new ApiException(
            400, e.Message, e.Message.Contains("context holds", StringComparison.Ordinal) ? "context_length_exceeded" : "invalid_value"),
        ConfigException or OnnxFormatException => new ApiException(400, e.Message, "invalid_adapter"),
        NotFiniteNumberException => new ApiException(500, e.Message, "not_a_number"),
        OperationCanceledException or IOException when context.RequestAborted.IsCancellationRequested => null,
        OperationCanceledException when record.IsTimedOut =>
            new ApiException(504, "The answer took longer than this server allows.", "timeout"),
        OperationCanceledException or ObjectDisposedException => new ApiException(503, "The server is stopping.", "stopping"),
        OnnxRuntimeException => new ApiException(500, "The model could not be computed; there may be too little memory.", "failed"),
        _ => new ApiException(500, "The server failed at this request.", "internal_error"),
    };

    private static ApiException Busy(HttpContext context, Exception e)
    {
        context.Response.Headers.RetryAfter = "1";
        return new ApiException(429, e.Message, "queue_full");
    }

    /// <summary>An error after the beginning of a stream is its last event.</summary>
    private async Task AnswerAsync(HttpContext context, ApiException error)
    {
        try
        {
            if (context.Response.HasStarted)
                await new EventStream(context.Response, _breakOff.Token).WriteAsync(error.Body).ConfigureAwait(false);
            else
                await JsonBody.WriteAsync(context, error.Body, error.Status).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or InvalidOperationException)
        {
            context.Abort();
        }
    }
}
