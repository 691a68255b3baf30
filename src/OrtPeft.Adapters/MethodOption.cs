using System.Text.Json.Nodes;

namespace OrtPeft.Adapters;

/// <summary>An option of the command line that stands for a field of a method's configuration.</summary>
/// <param name="Name">The option, such as <c>--rank</c>. Methods may share one, each with a field of its own.</param>
/// <param name="Field">The field in <c>adapter_config.json</c>.</param>
/// <param name="Form">What is typed.</param>
/// <param name="Help">Its line on the help page.</param>
/// <param name="Placeholder">What the help page calls the value, such as <c>R</c>; null for a flag.</param>
public sealed record MethodOption(
    string Name, string Field, OptionForm Form, string Help, string? Placeholder = null)
{
    /// <summary>
    /// Another field that follows from the value, where nothing else gives it: its name, and how it follows. Null
    /// (default) for none.
    /// </summary>
    public (string Field, Func<JsonNode, JsonNode> Value)? Implies { get; init; }
}
