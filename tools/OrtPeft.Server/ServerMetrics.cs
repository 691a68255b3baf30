using System.Diagnostics;
using System.Diagnostics.Metrics;
using OrtPeft.Serving;

namespace OrtPeft.Server;

/// <summary>The server's measurements, under OpenTelemetry's names for generative models.</summary>
/// <seealso href="https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/"/>
internal sealed class ServerMetrics : IDisposable
{
    /// <summary>The meter's name.</summary>
    public const string Name = "OrtPeft.Server";

    private readonly Meter _meter = new(Name);
    private readonly Histogram<double> _duration;
    private readonly Histogram<double> _firstToken;
    private readonly Histogram<double> _perToken;
    private readonly Counter<long> _tokens;
    private readonly Counter<long> _responses;

    /// <summary>Begins to measure.</summary>
    public ServerMetrics(ServedModel served)
    {
        _duration = _meter.CreateHistogram<double>("gen_ai.server.request.duration", "s", "Time of a request.");
        _firstToken = _meter.CreateHistogram<double>("gen_ai.server.time_to_first_token", "s", "Time to the first token.");
        _perToken = _meter.CreateHistogram<double>(
            "gen_ai.server.time_per_output_token", "s", "Time of each token after the first.");
        _tokens = _meter.CreateCounter<long>("gen_ai.server.token.usage", "{token}", "Tokens of prompts and answers.");
        _responses = _meter.CreateCounter<long>("http.server.responses", "{response}", "Responses by status.");
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
    public void Count(RequestRecord record, int status, bool isKnown)
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
        if (record.ToFirstToken is { } first)
        {
            _firstToken.Record(first.TotalSeconds, tags);
            if (record.AnswerTokens > 1)
                _perToken.Record((record.Elapsed - first).TotalSeconds / (record.AnswerTokens - 1), tags);
        }

        AddTokens("input", record.PromptTokens, tags);
        AddTokens("output", record.AnswerTokens, tags);
        if (status >= 400)
            tags.Add("error.type", status.ToString(System.Globalization.CultureInfo.InvariantCulture));
        _duration.Record(record.Elapsed.TotalSeconds, tags);
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
        _tokens.Add(count, tags);
    }
}
