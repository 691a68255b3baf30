using System.Text.Json.Nodes;
using OrtPeft.Adapters;
using OrtPeft.Adapters.Inspection;
using OrtPeft.Adapters.Lora;

namespace OrtPeft.Cli.Reporting;

/// <summary>A report on an adapter's files, for people and for programs.</summary>
internal sealed class AdapterReport(StoredAdapter adapter)
{
    private readonly AdapterInspection _inspection = AdapterInspection.Of(adapter);

    public StoredAdapter Adapter => adapter;

    /// <summary>The method, with what LoRA adds to itself.</summary>
    public static string Method(StoredAdapter adapter)
    {
        var name = PeftMethods.Of(adapter.Config).Description.Name;
        return adapter.Config is not LoraConfig lora ? name
            : name + (lora.UseDora ? ", DoRA" : "") + (lora.UseRslora ? ", rsLoRA" : "");
    }

    /// <summary>The facts in the header and the configuration.</summary>
    public static JsonObject Describe(StoredAdapter adapter) => new()
    {
        ["folder"] = adapter.Folder,
        ["method"] = PeftMethods.Of(adapter.Config).Description.Name,
        ["peft_type"] = adapter.Config.PeftType,
        ["rank"] = adapter.Rank,
        ["alpha"] = adapter.Alpha,
        ["target_modules"] = TargetsOf(adapter),
        ["base_model_name_or_path"] = adapter.Config.BaseModelNameOrPath,
        ["parameters"] = adapter.ParameterCount,
        ["bytes"] = adapter.Bytes,
        ["tensors"] = adapter.Tensors.Count,
    };

    public IEnumerable<string> Lines()
    {
        yield return $"{adapter.Folder}: {Method(adapter)}";
        foreach (var line in TextTable.Lines(Facts()))
            yield return "  " + line;
        yield return "";
        foreach (var line in TextTable.Lines(_inspection.Modules.Select(Row).Prepend(["module", "rank", "scale", "norm"])))
            yield return "  " + line;
        yield return "";
        foreach (var fault in _inspection.Faults)
            yield return $"  Fault: {fault}";
        foreach (var name in _inspection.Zero)
            yield return $"  All zero: '{name}'.";
        if (_inspection.Faults.Count == 0 && _inspection.Zero.Count == 0)
            yield return "  No tensor is all zero or holds NaN or infinity.";
    }

    public JsonObject ToJson()
    {
        var json = Describe(adapter);
        json["config"] = adapter.Config.ToJson();
        json["modules"] = new JsonArray([.. _inspection.Modules.Select(static m => (JsonNode)new JsonObject
        {
            ["module"] = m.Module,
            ["rank"] = m.Rank,
            ["scale"] = m.Scale,
            ["norm"] = m.Norm,
            ["of"] = m.IsDelta ? "delta" : "tensors",
        })]);
        json["tensors"] = new JsonArray([.. _inspection.Tensors.Select(static t => (JsonNode)new JsonObject
        {
            ["name"] = t.Name,
            ["type"] = t.Tensor.Type.ToString(),
            ["shape"] = new JsonArray([.. t.Tensor.Dims.Select(static d => (JsonNode)d)]),
            ["norm"] = t.Norm,
            ["largest"] = t.Largest,
            ["zero"] = t.IsZero,
            ["non_finite"] = t.NonFinite,
        })]);
        return json;
    }

    private static JsonNode? TargetsOf(StoredAdapter adapter) => adapter.Targets is not { } targets ? null
        : targets.Pattern is { } pattern ? pattern
        : new JsonArray([.. targets.Names.Select(static n => (JsonNode)n)]);

    private IEnumerable<string[]> Facts()
    {
        if (adapter.Rank is { } rank)
            yield return ["rank", Human.Plain(rank)];
        if (adapter.Alpha is { } alpha)
            yield return ["alpha", Human.Plain(alpha)];
        if (adapter.Targets is { } targets)
            yield return ["target modules", targets.ToString()];
        yield return ["base", adapter.Config.BaseModelNameOrPath ?? "not said"];
        yield return ["parameters", $"{Human.Count(adapter.ParameterCount)} in {Human.Count(adapter.Tensors.Count, "tensor")}"];
        yield return ["size", Human.Bytes(adapter.Bytes)];
    }

    private static string[] Row(ModuleNorm module) =>
    [
        module.Module,
        module.Rank is { } rank ? Human.Plain(rank) : "",
        module.Scale is { } scale ? Human.Plain(Math.Round(scale, 4)) : "",
        module.Norm is { } norm ? Human.Rate(norm) + (module.IsDelta ? "" : " (tensors)") : "n/a",
    ];
}
