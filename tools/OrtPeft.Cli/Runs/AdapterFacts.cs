using System.Text.Json;
using System.Text.Json.Nodes;
using OrtPeft.Adapters;
using OrtPeft.Adapters.Lora;
using OrtPeft.Cli.Reporting;

namespace OrtPeft.Cli.Runs;

/// <summary>Facts about an adapter, and about its place in its base.</summary>
internal static class AdapterFacts
{
    private static readonly string[] OfFile =
        ["auto_mapping", "base_model_name_or_path", "inference_mode", "peft_type", "revision", "task_type"];

    /// <summary>The line that a run begins with.</summary>
    public static string Line(PeftModel peft)
    {
        var places = Places(peft);
        var on = places.Length > 0 ? $", on {places}" : "";
        return $"adapter: {PeftMethods.Of(peft.Config).Description.Name}{Size(peft.Config)}{on}";
    }

    /// <summary>All that its configuration says, but for what says nothing.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Of(JsonObject config, PeftModel? peft)
    {
        yield return new("method", (string?)config["peft_type"] ?? "unknown");
        if (peft is not null && Places(peft) is { Length: > 0 } places)
            yield return new("layers", places);
        foreach (var (name, value) in config)
        {
            if (!OfFile.Contains(name) && Text(value) is { } text)
                yield return new(name, text);
        }

        if (peft?.Config is LoraConfig lora)
            yield return new("scale", Human.Plain(ScaleOf(lora)));
    }

    private static string Size(PeftConfig config) => config is LoraConfig lora
        ? $", rank {lora.R}, alpha {Human.Plain(lora.LoraAlpha)} (scale {Human.Plain(ScaleOf(lora))})"
        : "";

    private static double ScaleOf(LoraConfig lora) =>
        Math.Round(lora.LoraAlpha / (lora.UseRslora ? Math.Sqrt(lora.R) : lora.R), 6);

    private static string Places(PeftModel peft)
    {
        var groups = peft.AdaptedModules.GroupBy(NumberedNames.PatternOf).ToArray();
        var count = groups.Sum(static g => g.Count());
        return count == 0
            ? ""
            : $"{Human.Count(count, "layer")}: {string.Join(", ", groups.Select(static g => NumberedNames.Join([.. g])))}";
    }

    private static string? Text(JsonNode? value) => value switch
    {
        null or JsonArray { Count: 0 } or JsonObject { Count: 0 } => null,
        JsonArray list => string.Join(", ", list.Select(static item => Text(item) ?? "null")),
        JsonValue scalar when scalar.GetValueKind() == JsonValueKind.False => null,
        JsonValue scalar when scalar.GetValueKind() == JsonValueKind.String => scalar.GetValue<string>(),
        _ => value.ToJsonString(),
    };
}
