using System.Text.Json.Nodes;

namespace OrtPeft.Adapters.Configuration;

/// <summary>How configurations write their values.</summary>
internal static class ConfigJson
{
    /// <summary>A number; HF PEFT expects whole ones, such as alphas, without a decimal point.</summary>
    public static JsonNode Number(double number) =>
        number == Math.Floor(number) && Math.Abs(number) < int.MaxValue ? (int)number : number;

    /// <summary>Numbers by name, in order.</summary>
    public static JsonObject Numbers(IEnumerable<KeyValuePair<string, double>> entries) =>
        new(entries.Select(static e => KeyValuePair.Create(e.Key, (JsonNode?)Number(e.Value))));

    /// <summary>Whole numbers by name, in order.</summary>
    public static JsonObject Numbers(IEnumerable<KeyValuePair<string, int>> entries) =>
        new(entries.Select(static e => KeyValuePair.Create(e.Key, (JsonNode?)e.Value)));
}
