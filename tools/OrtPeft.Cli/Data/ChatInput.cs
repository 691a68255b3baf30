using System.Text.Json;
using System.Text.Json.Nodes;
using OrtPeft.Cli.Errors;
using OrtPeft.Tokenizers.Chat;

namespace OrtPeft.Cli.Data;

/// <summary>Reads a conversation that a model is to answer.</summary>
internal static class ChatInput
{
    private const string Expected = "expected an array of messages, or {\"messages\": […], \"tools\": […]}";

    /// <summary>The conversation of a file, a system text before it where one is given.</summary>
    /// <exception cref="UsageException">The file holds none.</exception>
    public static ChatConversation Read(string file, string? system)
    {
        JsonNode? root;
        try
        {
            root = JsonNode.Parse(File.ReadAllText(file));
        }
        catch (JsonException e)
        {
            throw new UsageException($"{file}: line {e.LineNumber + 1}: not JSON; {Expected}.");
        }

        var fields = root as JsonObject ?? new JsonObject { ["messages"] = root?.DeepClone() };
        if (fields["messages"] is not JsonArray { Count: > 0 } messages || messages.Any(static m => m is not JsonObject))
            throw new UsageException($"{file}: no messages are there; {Expected}.");
        if (system is not null)
            messages.Insert(0, new JsonObject { ["role"] = "system", ["content"] = system });
        return new ChatConversation
        {
            Messages = JsonSerializer.SerializeToElement(messages),
            Tools = fields["tools"] is JsonArray tools ? JsonSerializer.SerializeToElement(tools) : null,
            Variables = (fields["chat_template_kwargs"] as JsonObject ?? []).ToDictionary(
                static v => v.Key, static v => JsonSerializer.SerializeToElement(v.Value), StringComparer.Ordinal),
        };
    }
}
