using System.Text.Json;
using System.Text.Json.Nodes;
using OrtPeft.Cli.Errors;
using OrtPeft.Tokenizers.Chat;

namespace OrtPeft.Cli.Data;

/// <summary>Reads a conversation that a model is to answer.</summary>
internal static class ChatInput
{
    /// <summary>The role that answers.</summary>
    public const string Assistant = "assistant";

    private const string Expected = "expected an array of messages, or {\"messages\": […], \"tools\": […]}";

    /// <summary>The conversation of a file, a system text before it where one is given.</summary>
    /// <exception cref="UsageException">The file holds none.</exception>
    public static ChatConversation Read(string file, string? system)
    {
        try
        {
            var root = Parse(File.ReadAllText(file), Expected);
            return Of(root as JsonObject ?? new JsonObject { ["messages"] = root?.DeepClone() }, system, Expected);
        }
        catch (UsageException e)
        {
            throw new UsageException($"{file}: {e.Message}");
        }
    }

    /// <summary>The conversation of an object with messages, a system text before it where one is given.</summary>
    /// <exception cref="UsageException">It holds none.</exception>
    public static ChatConversation Of(JsonObject fields, string? system, string expected)
    {
        var messages = fields["messages"] as JsonArray ?? [];
        if (messages.Count == 0 || messages.Any(static m => m is not JsonObject))
            throw new UsageException($"no messages are there; {expected}.");
        if (fields["tools"] is not (null or JsonArray))
            throw new UsageException("tools is not an array; expected JSON schemas of functions.");
        if (fields["chat_template_kwargs"] is not (null or JsonObject))
            throw new UsageException("chat_template_kwargs is not an object; expected variables by name.");
        if (system is not null)
            messages.Insert(0, SystemTurn(system));
        return new ChatConversation
        {
            Messages = JsonSerializer.SerializeToElement(messages),
            Tools = fields["tools"] is JsonArray tools ? JsonSerializer.SerializeToElement(tools) : null,
            Variables = (fields["chat_template_kwargs"] as JsonObject ?? []).ToDictionary(
                static v => v.Key, static v => JsonSerializer.SerializeToElement(v.Value), StringComparer.Ordinal),
        };
    }

    /// <summary>A conversation in which only the system has spoken, if it has.</summary>
    public static ChatConversation Begin(string? system) => new()
    {
        Messages = JsonSerializer.SerializeToElement(system is null ? new JsonArray() : [SystemTurn(system)]),
    };

    /// <summary>A conversation in which a user has said something.</summary>
    public static ChatConversation Asking(string text) => new()
    {
        Messages = JsonSerializer.SerializeToElement(new JsonArray(new JsonObject { ["role"] = "user", ["content"] = text })),
    };

    /// <summary>The role that spoke last; null where none did.</summary>
    public static string? LastRole(ChatConversation conversation) =>
        conversation.Messages.EnumerateArray().LastOrDefault() is { ValueKind: JsonValueKind.Object } last
        && last.TryGetProperty("role", out var role) && role.ValueKind == JsonValueKind.String
            ? role.GetString()
            : null;

    /// <summary>Reads JSON.</summary>
    /// <exception cref="UsageException">It is none.</exception>
    public static JsonNode? Parse(string text, string expected)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException e)
        {
            throw new UsageException($"line {e.LineNumber + 1}: not JSON; {expected}.");
        }
    }

    private static JsonObject SystemTurn(string text) => new() { ["role"] = "system", ["content"] = text };
}
