using System.Globalization;

namespace OrtPeft.Models.Configuration;

/// <summary>Checks of a description's fields; a failed one names the field, its value and what is allowed.</summary>
internal static class ConfigChecks
{
    /// <summary>Far beyond any model, it keeps a damaged file from filling the memory.</summary>
    public const int MaxLayers = 1000;

    public static void AtLeastOne(string field, int value) =>
        Require(value > 0, field, value, "a whole number from 1");

    public static void Layers(string field, int value) =>
        Require(value is > 0 and <= MaxLayers, field, value, $"1 to {MaxLayers}");

    public static void OneOf(string field, string value, IEnumerable<string> names) =>
        Require(names.Contains(value), field, $"'{value}'", $"one of {string.Join(", ", names)}");

    public static void Require(bool holds, string field, IFormattable value, string allowed) =>
        Require(holds, field, value.ToString(null, CultureInfo.InvariantCulture), allowed);

    public static void Require(bool holds, string field, string value, string allowed)
    {
        if (!holds)
            throw new ModelConfigException($"{field} is {value}; allowed is {allowed}.");
    }
}
