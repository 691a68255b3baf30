using System.Diagnostics;
using System.Diagnostics.Metrics;
using OrtPeft.Serving;

namespace OrtPeft.Server;

/// <summary>The server's measurements, under OpenTelemetry's names for generative models and with their bounds; what has no
/// name there begins with <c>ortpeft</c>.</summary>
/// <seealso href="https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/"/>
internal sealed class ServerMetrics : IDisposable
{
    /// <summary>The meter's name.</summary>
    public const string Name = "OrtPeft.Server";

    private readonly Meter _meter = new(Name);
    private readonly Histogram<double> _duration;
    private readonly Histogram<double> _firstToken;
    private readonly Histogram<double> _perToken;
    private readonly Histogram<long> _tokens;
    private readonly Counter<long> _responses;

    /// <summary>Begins to measure.</summary>
    public ServerMetrics(ServedModel served)
    {
        _duration = Seconds(
            "gen_ai.server.request.duration",
            "Time of a request.",
            [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]);
        _firstToken = Seconds(
            "gen_ai.server.time_to_first_token",
            "Time to the first token.",
            [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]);
        _perToken = Seconds(
            "gen_ai.server.time_per_output_token",
            "Time of each token after the first.",
            [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5]);
        // The conventions know the tokens of a request by this name alone, whoever counts them.
        _tokens = _meter.CreateHistogram(
            "gen_ai.client.token.usage",
            "{token}",
            "Tokens of a request's prompt or answer.",
            tags: null,
            new InstrumentAdvice<long> { HistogramBucketBoundaries = [.. Enumerable.Range(0, 14).Select(static i => 1L << (2 * i))] });
        _responses = _meter.CreateCounter<long>("ortpeft.responses", "{response}", "Responses by status.");
        _meter.CreateObservableGauge("ortpeft.requests.running", () => served.Running, "{request}", "Requests that are computed.");
        _meter.CreateObservableGauge("ortpeft.requests.waiting", () => served.Waiting, "{request}", "Requests that wait.");
        _meter.CreateObservableGauge("ortpeft.adapters", () => served.Adapters.Count, "{adapter}", "Adapters that are loaded.");
        _meter.CreateObservableCounter("ortpeft.steps", () => served.Counts.Steps, "{step}", "Steps of the batch.");
        _meter.CreateObservableCounter("ortpeft.steps.rows", () => served.Counts.Rows, "{row}", "Rows of all steps.");
        Page = new PrometheusPage(_meter);
    }

    /// <summary>The page for Prometheus.</summary>
    public PrometheusPage Page { get; }

    /// <summary>Counts a request that has ended.</summary>
    /// <param name="record">The request.</param>
    /// <param name="status">Its status.</param>
    /// <param name="isKnown">Whether its model is there: names that clients make up are not kept.</param>
    /// <param name="error">The error's code as the client got it; null where it succeeded.</param>
    public void Count(RequestRecord record, int status, bool isKnown, string? error)
    {
        _responses.Add(1, new KeyValuePair<string, object?>("http.response.status_code", status));
        if (record.Operation is null || !isKnown)
            return;
        var tags = new TagList
        {
            { "gen_ai.operation.name", record.Operation },
            { "gen_ai.provider.name", "ortpeft" },
            { "gen_ai.request.model", record.Model },
        };
        if (error is not null)
        {
            tags.Add("error.type", error);
            _duration.Record(record.Elapsed.TotalSeconds, tags);
            return;
        }

        tags.Add("gen_ai.response.model", record.Model);
        _duration.Record(record.Elapsed.TotalSeconds, tags);
        if (record.ToFirstToken is { } first)
        {
            _firstToken.Record(first.TotalSeconds, tags);
            if (record.AnswerTokens > 1)
                _perToken.Record((record.Elapsed - first).TotalSeconds / (record.AnswerTokens - 1), tags);
        }

        AddTokens("input", record.PromptTokens, tags);
        if (record.Operation != "embeddings")
            AddTokens("output", record.AnswerTokens, tags);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Page.Dispose();
        _meter.Dispose();
    }

    private void AddTokens(string type, int count, TagList tags)
    {
        tags.Add("gen_ai.token.type", type);
        _tokens.Record(count, tags);
    }

    private Histogram<double> Seconds(string name, string description, double[] bounds) => _meter.CreateHistogram(
        name, "s", description, tags: null, new InstrumentAdvice<double> { HistogramBucketBoundaries = bounds });
}
