using System.Text.Json;

namespace OrtPeft.Tokenizers.Chat;

/// <summary>The variables that a chat template is rendered with, as JSON: a template may look at any field.</summary>
public sealed record ChatConversation
{
    /// <summary>The turns, an array of objects with a <c>role</c> and mostly a <c>content</c>.</summary>
    public required JsonElement Messages { get; init; }

    /// <summary>The tools as JSON schemas, an array; null, which is not the same as an empty one, for none.</summary>
    public JsonElement? Tools { get; init; }

    /// <summary>Further variables by name, such as <c>enable_thinking</c> or <c>documents</c>.</summary>
    public IReadOnlyDictionary<string, JsonElement> Variables { get; init; } =
        new Dictionary<string, JsonElement>(StringComparer.Ordinal);
}
