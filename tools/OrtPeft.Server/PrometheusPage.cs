using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace OrtPeft.Server;

/// <summary>A meter's instruments in Prometheus' text form.</summary>
/// <seealso href="https://prometheus.io/docs/instrumenting/exposition_formats/"/>
internal sealed class PrometheusPage : IDisposable
{
    /// <summary>The type of the text.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly Lock _lock = new();
    private readonly MeterListener _listener = new();
    private readonly SortedDictionary<string, Instrument> _instruments = new(StringComparer.Ordinal);
    private readonly SortedDictionary<(string Instrument, string Labels), Series> _series = [];

    /// <summary>Begins to listen.</summary>
    public PrometheusPage(Meter meter)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter != meter)
                return;
            lock (_lock)
                _instruments[instrument.Name] = instrument;
            listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<double>((i, value, tags, _) => Take(i, value, tags));
        _listener.SetMeasurementEventCallback<long>((i, value, tags, _) => Take(i, value, tags));
        _listener.SetMeasurementEventCallback<int>((i, value, tags, _) => Take(i, value, tags));
        _listener.Start();
    }

    /// <summary>The page as of now.</summary>
    public string Text()
    {
        _listener.RecordObservableInstruments();
        var text = new StringBuilder();
        lock (_lock)
        {
            foreach (var instrument in _instruments.Values)
            {
                var (name, kind) = (NameOf(instrument), KindOf(instrument));
                text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {instrument.Description}\n# TYPE {name} {kind}\n");
                foreach (var ((_, labels), series) in _series.Where(s => s.Key.Instrument == instrument.Name))
                    series.Write(text, name, labels, kind == "histogram");
            }
        }

        return text.ToString();
    }

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();

    private void Take(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = string.Join(",", tags.ToArray().Select(static t => string.Create(
            CultureInfo.InvariantCulture, $"{Plain(t.Key)}=\"{Escaped(Convert.ToString(t.Value, CultureInfo.InvariantCulture) ?? "")}\"")));
        lock (_lock)
        {
            if (!_series.TryGetValue((instrument.Name, labels), out var series))
                _series[(instrument.Name, labels)] = series = new Series(BoundsOf(instrument));
            series.Take(value, isTotal: instrument.IsObservable);
        }
    }

    private static string KindOf(Instrument instrument) =>
        BoundsOf(instrument).Length > 0 ? "histogram"
        : instrument is Counter<long> or ObservableCounter<long> ? "counter"
        : "gauge";

    /// <summary>The bounds of a histogram's buckets, which it advises; none for what is not one.</summary>
    private static double[] BoundsOf(Instrument instrument) => instrument switch
    {
        Histogram<double> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds],
        Histogram<long> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds.Select(static b => (double)b)],
        _ => [],
    };

    private static string NameOf(Instrument instrument)
    {
        var unit = instrument.Unit == "s" ? "_seconds" : "";
        return Plain(instrument.Name) + unit + (KindOf(instrument) == "counter" ? "_total" : "");
    }

    private static string Plain(string name) => name.Replace('.', '_');

    private static string Escaped(string value) => value.Replace("\\", "\\\\", StringComparison.Ordinal)
        .Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    private sealed class Series(double[] bounds)
    {
        private readonly long[] _counts = new long[bounds.Length];
        private double _sum;
        private long _count;

        public void Take(double value, bool isTotal)
        {
            _sum = isTotal ? value : _sum + value;
            _count++;
            for (var i = 0; i < bounds.Length; i++)
            {
                if (value <= bounds[i])
                    _counts[i]++;
            }
        }

        public void Write(StringBuilder text, string name, string labels, bool isHistogram)
        {
            var braces = labels.Length == 0 ? "" : $"{{{labels}}}";
            if (!isHistogram)
            {
                text.Append(CultureInfo.InvariantCulture, $"{name}{braces} {_sum}\n");
                return;
            }

            var comma = labels.Length == 0 ? "" : ",";
            foreach (var (bound, count) in bounds.Zip(_counts))
                text.Append(CultureInfo.InvariantCulture, $"{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {count}\n");
            text.Append(CultureInfo.InvariantCulture, $"{name}_bucket{{{labels}{comma}le=\"+Inf\"}} {_count}\n");
            text.Append(CultureInfo.InvariantCulture, $"{name}_sum{braces} {_sum}\n{name}_count{braces} {_count}\n");
        }
    }
}
