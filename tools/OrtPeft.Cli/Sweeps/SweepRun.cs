using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using OrtPeft.Cli.Errors;

namespace OrtPeft.Cli.Sweeps;

/// <summary>A run of a sweep, and how it ended.</summary>
/// <param name="Number">Its number, from 1.</param>
/// <param name="Settings">The swept keys with its values.</param>
internal sealed record SweepRun(int Number, IReadOnlyList<KeyValuePair<string, string>> Settings)
{
    private static readonly JsonSerializerOptions Line = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The name of its folder.</summary>
    public string Name => string.Create(CultureInfo.InvariantCulture, $"run-{Number:000}");

    /// <summary>The settings that it tries, in words.</summary>
    public string Description => string.Join(", ", Settings.Select(static s => $"{s.Key} {s.Value}"));

    /// <summary>Why it failed; null where it did not.</summary>
    public string? Error { get; init; }

    /// <summary>The words of its options.</summary>
    public IEnumerable<string> Words(Func<string, bool> isFlag) => Settings.SelectMany(
        s => !isFlag(s.Key) ? [$"--{s.Key}={s.Value}"] : s.Value == "true" ? [$"--{s.Key}"] : Array.Empty<string>());

    /// <summary>A line of the sweep's log.</summary>
    public string ToLine()
    {
        var json = new JsonObject
        {
            ["run"] = Number,
            ["settings"] = new JsonObject(Settings.Select(static s => KeyValuePair.Create(s.Key, (JsonNode?)s.Value))),
            ["error"] = Error,
        };
        return json.ToJsonString(Line);
    }

    /// <summary>Reads a line of the sweep's log.</summary>
    /// <exception cref="UsageException">It is none.</exception>
    public static SweepRun Parse(string line, string place)
    {
        try
        {
            var json = JsonNode.Parse(line)!.AsObject();
            return new SweepRun(
                json["run"]!.GetValue<int>(),
                [.. json["settings"]!.AsObject().Select(static s => KeyValuePair.Create(s.Key, s.Value!.GetValue<string>()))])
            {
                Error = json["error"]?.GetValue<string>(),
            };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or NullReferenceException or FormatException)
        {
            throw new UsageException($"{place} is not a line of a sweep's log; remove the file to begin anew.", e);
        }
    }

    /// <summary>Whether two are the same run, however they ended.</summary>
    public bool IsSameAs(SweepRun other) => Number == other.Number && Settings.SequenceEqual(other.Settings);
}
