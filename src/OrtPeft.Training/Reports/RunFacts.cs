using System.Text.Encodings.Web;
using System.Text.Json;
using OrtPeft.Tensors.Storage;
using OrtPeft.Training.Data;
using OrtPeft.Training.Metrics;

namespace OrtPeft.Training.Reports;

/// <summary>The facts of a run known before its first step: what is adapted, with what, on which rows and machine. Kept
/// beside its metrics in <see cref="FileName"/>.</summary>
public sealed record RunFacts
{
    /// <summary>The file's name in a run's folder.</summary>
    public const string FileName = "run-info.json";

    /// <summary>The fact that says when the run began, in which all runs differ.</summary>
    public const string Begun = "begun";

    private const string TotalStepsKey = "total_steps";
    private const string MetricKey = "metric";
    private const long LargestFile = 1 << 20;

    private static readonly JsonWriterOptions Indented = new()
    {
        Indented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>How many steps the run is to have; 0 where that is not known.</summary>
    public int TotalSteps { get; init; }

    /// <summary>The metric that says which evaluation is best.</summary>
    public EvaluationMetric Metric { get; init; } = EvaluationMetric.All[0];

    /// <summary>The facts, in the order in which they are shown.</summary>
    public IReadOnlyList<FactGroup> Groups { get; init; } = [];

    /// <summary>Reads the facts.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The facts; values that are not texts are left out.</returns>
    /// <exception cref="TrainingDataException">The file is not JSON, or no such file.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static RunFacts Read(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (new FileInfo(path) is { Exists: true, Length: > LargestFile })
            throw Broken(path);
        try
        {
            var bytes = InputFile.ReadAllBytes(path);
            JsonText.Check(bytes);
            using var json = JsonDocument.Parse(bytes);
            var steps = json.RootElement.TryGetProperty(TotalStepsKey, out var total) && total.TryGetInt32(out var number)
                ? number
                : 0;
            var groups = json.RootElement.EnumerateObject().Where(static p => p.Value.ValueKind == JsonValueKind.Object);
            var metric = json.RootElement.TryGetProperty(MetricKey, out var name) && name.ValueKind == JsonValueKind.String
                ? EvaluationMetric.Find(name.GetString()!)
                : null;
            return new RunFacts
            {
                TotalSteps = steps,
                Metric = metric ?? EvaluationMetric.All[0],
                Groups = [.. groups.Select(GroupOf)],
            };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw Broken(path);
        }
    }

    /// <summary>Writes the facts, whole or not at all.</summary>
    /// <param name="path">The file; its folder must exist.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Save(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, Indented))
        {
            json.WriteStartObject();
            json.WriteNumber(TotalStepsKey, TotalSteps);
            json.WriteString(MetricKey, Metric.Name);
            foreach (var group in Groups)
            {
                json.WriteStartObject(group.Title);
                foreach (var (name, value) in group.Facts)
                    json.WriteString(name, value);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        AtomicFile.Write(path, [.. bytes.ToArray(), (byte)'\n']);
    }

    private static FactGroup GroupOf(JsonProperty group) => new(
        group.Name,
        [
            .. group.Value.EnumerateObject().Where(static f => f.Value.ValueKind == JsonValueKind.String)
                .Select(static f => KeyValuePair.Create(f.Name, f.Value.GetString()!)),
        ]);

    private static TrainingDataException Broken(string path) =>
        new DataPlace(path, 0).Error($"not a run's facts; remove the file, and the page goes without them");
}
