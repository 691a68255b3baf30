using System.Text.Json;
using System.Text.Json.Nodes;
using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.Modules;
using OrtPeft.Artifacts;
using OrtPeft.Onnx;

namespace OrtPeft.Adapters.Bottleneck;

/// <summary>
/// The adapters library's <c>adapter_config.json</c>: the method's fields stand under <c>config</c>, and what describes
/// the adapter and its model around it.
/// </summary>
/// <seealso href="https://docs.adapterhub.ml/classes/adapter_config.html">The adapters library's
/// configurations.</seealso>
internal static class LibraryLayout
{
    /// <summary>The weights' file name.</summary>
    public const string WeightsFile = AdapterFiles.LibraryWeights;

    /// <summary>The flat form's field for what stands around <c>config</c>; the word <c>adapters</c> asks for the
    /// layout.</summary>
    public const string Field = "layout";

    private const string Word = "adapters";
    private const string Inner = "config";

    /// <summary>The version of the library whose layout this is; from files without one it renames functions.</summary>
    private const string Version = "adapters.1.2.0";

    /// <summary>Fields of HF PEFT's layout that are not the method's own.</summary>
    private static readonly string[] OfPeft =
    [
        "auto_mapping", "base_model_name_or_path", "exclude_modules", "fan_in_fan_out", "inference_mode",
        "layers_pattern", "layers_to_transform", "modules_to_save", "name", "peft_type", "revision", "target_modules",
        "task_type",
    ];

    /// <summary>Whether a file has this layout.</summary>
    public static bool Is(JsonObject json) => json["peft_type"] is null && json[Inner] is JsonObject;

    /// <summary>Whether a configuration file is there and has this layout.</summary>
    public static bool IsIn(string file)
    {
        try
        {
            return File.Exists(file) && ConfigJson.Read(file) is { } json && Is(json);
        }
        catch (JsonException)
        {
            return false; // who reads the configuration says so
        }
    }

    /// <summary>The fields in one object, with the method's name.</summary>
    /// <exception cref="ConfigException">It is not a bottleneck adapter.</exception>
    public static JsonObject Flattened(JsonObject json, string source)
    {
        var flat = (JsonObject)json[Inner]!.DeepClone();
        if (flat["architecture"] is { } other)
            throw ConfigException.At(
                source, $"architecture is {other.ToJsonString()}; of the adapters library's methods, only bottleneck "
                + "adapters are read, which have none.");
        var around = new JsonObject(json.Where(static f => f.Key is not (Inner or "name"))
            .Select(static f => KeyValuePair.Create(f.Key, f.Value?.DeepClone())));
        if (!around.ContainsKey("version") && flat["non_linearity"] is JsonValue function)
            flat["non_linearity"] = Renamed((string?)function);
        flat["peft_type"] = "BOTTLENECK";
        flat["name"] = json["name"]?.DeepClone();
        flat[Field] = around;
        return flat;
    }

    /// <summary>The fields around <c>config</c>; null where the layout is not asked for.</summary>
    /// <exception cref="ConfigException">The field has another value.</exception>
    public static JsonObject? FieldsOf(JsonNode? json) => json switch
    {
        null => null,
        JsonObject around => (JsonObject)around.DeepClone(),
        JsonValue value when value.TryGetValue<string>(out var word) && word == Word => [],
        _ => throw new ConfigException($"{Field} is {json.ToJsonString()}; it must be {Word}, or left out."),
    };

    /// <summary>The file of flat fields.</summary>
    public static JsonObject Nested(JsonObject flat, JsonObject around)
    {
        var fields = flat.Where(static f => !OfPeft.Contains(f.Key)).OrderBy(static f => f.Key, StringComparer.Ordinal);
        var file = new SortedDictionary<string, JsonNode?>(StringComparer.Ordinal)
        {
            ["model_class"] = null,
            ["model_name"] = flat["base_model_name_or_path"]?.DeepClone(),
            ["version"] = Version,
        };
        foreach (var (name, value) in around)
            file[name] = value?.DeepClone();
        file["name"] = flat["name"]?.DeepClone();
        file[Inner] = new JsonObject(fields.Select(static f => KeyValuePair.Create(f.Key, f.Value?.DeepClone())));
        return new JsonObject(file);
    }

    /// <summary>Fills in what the model tells.</summary>
    /// <exception cref="ConfigException">The adapter is for a model of another width.</exception>
    public static BottleneckConfig Completed(BottleneckConfig config, Model model, IReadOnlyList<LinearModule> layers)
    {
        if (config.LibraryFields is not { } given)
            return config;
        var (hidden, around) = (layers[0].OutFeatures, (JsonObject)given.DeepClone());
        if (around["hidden_size"] is JsonValue size && size.TryGetValue<long>(out var wanted) && wanted != hidden)
            throw new ConfigException(
                $"hidden_size is {wanted}; this model's is {hidden}: is it an adapter for another model?");
        around["hidden_size"] = hidden;
        around["model_type"] ??= model.Metadata.GetValueOrDefault(MetadataKeys.ModelType);
        return config with { LibraryFields = around };
    }

    /// <summary>Files from before the library noted its version call GELU's two forms otherwise.</summary>
    private static string? Renamed(string? function) => function switch
    {
        "gelu" => "gelu_new",
        "gelu_orig" => "gelu",
        _ => function,
    };
}
