using System.Text.Json.Nodes;

namespace OrtPeft.Training.Subjects;

/// <summary>The identity of adapters when a run is resumed: all fields of their configurations but the base's
/// path.</summary>
internal static class AdapterIdentity
{
    /// <summary>Fields that say where the base came from: another path is the same run.</summary>
    private static readonly string[] Informative = ["base_model_name_or_path", "revision"];

    /// <summary>Adds an adapter's fields.</summary>
    /// <param name="identity">Receives them.</param>
    /// <param name="config">The content of <c>adapter_config.json</c>.</param>
    /// <param name="prefix">What goes before each field's name; nothing for a single adapter.</param>
    public static void Add(IDictionary<string, string> identity, JsonObject config, string prefix = "")
    {
        foreach (var (field, value) in config.Where(static f => !Informative.Contains(f.Key)))
            identity[prefix + field] = value?.ToJsonString() ?? "null";
    }
}
