using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OrtPeft.Models.Configuration;

/// <summary>How descriptions are written.</summary>
internal static class ConfigText
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static string Of(JsonObject fields) => fields.ToJsonString(Indented) + "\n";

    /// <summary>A decimal keeps the float's shortest digits: 1E-05 instead of 9.99999974737875E-06.</summary>
    public static JsonNode Exact(float value) =>
        JsonNode.Parse(value.ToString("R", CultureInfo.InvariantCulture))!;
}
