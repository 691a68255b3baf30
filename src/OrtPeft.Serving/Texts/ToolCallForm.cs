using System.Text.Json;

namespace OrtPeft.Serving.Texts;

/// <summary>How a family of models writes the calls of functions, as its chat template tells the model to.</summary>
/// <param name="Mark">What calls begin with.</param>
/// <param name="End">What each call ends with; empty where nothing does.</param>
/// <param name="MayBegin">Whether an answer that begins with a brace is a call too.</param>
internal sealed record ToolCallForm(string Mark, string End, bool MayBegin)
{
    /// <summary>The form that a template has; null where it is not known, and calls stay text.</summary>
    public static ToolCallForm? Of(string template) =>
        template.Contains("<tool_call>", StringComparison.Ordinal)
            && !template.Contains("<function=", StringComparison.Ordinal) ? new("<tool_call>", "</tool_call>", false)
        : template.Contains("[TOOL_CALLS]", StringComparison.Ordinal) ? new("[TOOL_CALLS]", "", false)
        : template.Contains("<|python_tag|>", StringComparison.Ordinal)
            || template.Contains("Environment: ipython", StringComparison.Ordinal) ? new("<|python_tag|>", "", true)
        : null;

    /// <summary>The calls in a text; null where it is not calls alone.</summary>
    public IReadOnlyList<ToolCall>? Read(string text)
    {
        var calls = new List<ToolCall>();
        var parts = End.Length == 0 ? [text] : text.Split(End, StringSplitOptions.RemoveEmptyEntries);
        foreach (var part in parts.Select(p => p.Replace(Mark, "", StringComparison.Ordinal).Trim()))
        {
            if (part.Length == 0)
                continue;
            try
            {
                using var document = JsonDocument.Parse(part);
                var root = document.RootElement;
                foreach (var call in root.ValueKind == JsonValueKind.Array ? [.. root.EnumerateArray()] : (JsonElement[])[root])
                {
                    if (CallOf(call) is not { } known)
                        return null;
                    calls.Add(known);
                }
            }
            catch (JsonException)
            {
                return null;
            }
        }

        return calls.Count > 0 ? calls : null;
    }

    private static ToolCall? CallOf(JsonElement call)
    {
        if (call.ValueKind != JsonValueKind.Object || !call.TryGetProperty("name", out var name)
            || name.ValueKind != JsonValueKind.String)
            return null;
        if (!call.TryGetProperty("arguments", out var arguments) && !call.TryGetProperty("parameters", out arguments))
            return null;
        return arguments.ValueKind == JsonValueKind.Object
            ? new ToolCall(name.GetString()!, arguments.GetRawText())
            : null;
    }
}
