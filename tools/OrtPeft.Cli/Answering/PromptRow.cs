using System.Text.Json.Nodes;
using OrtPeft.Cli.Data;
using OrtPeft.Cli.Errors;
using OrtPeft.Tokenizers.Chat;

namespace OrtPeft.Cli.Answering;

/// <summary>A prompt for a model to answer: a text or a conversation.</summary>
internal sealed record PromptRow
{
    private const string Expected =
        "expected a text, {\"prompt\": TEXT}, or {\"messages\": […]} with tools and chat_template_kwargs";

    private PromptRow()
    {
    }

    /// <summary>The text to continue; null for a conversation.</summary>
    public string? Text { get; private init; }

    /// <summary>The conversation to answer; null for a text.</summary>
    public ChatConversation? Conversation { get; private init; }

    public static PromptRow Of(string text) => new() { Text = text };

    /// <summary>A conversation that is not answered yet.</summary>
    /// <exception cref="UsageException">Its last turn is the assistant's.</exception>
    public static PromptRow Of(ChatConversation conversation) =>
        ChatInput.LastRole(conversation) == ChatInput.Assistant
            ? throw new UsageException(
                "the last turn is the assistant's, so there is nothing to answer; end with the user's.")
            : new PromptRow { Conversation = conversation };

    /// <summary>A line of a file of prompts.</summary>
    /// <exception cref="UsageException">It is none.</exception>
    public static PromptRow Parse(string line) => ChatInput.Parse(line, Expected) switch
    {
        JsonValue value when value.TryGetValue(out string? text) => Of(text),
        JsonObject row when row["prompt"] is JsonValue prompt && prompt.TryGetValue(out string? text) =>
            row.Count == 1 ? Of(text) : throw new UsageException($"{Beside(row)} would be without effect; {Expected}."),
        JsonObject row when row.ContainsKey("messages") => Of(ChatInput.Of(row, system: null, Expected)),
        _ => throw new UsageException($"there is no prompt; {Expected}."),
    };

    private static string Beside(JsonObject row) =>
        $"{string.Join(", ", row.Select(static f => f.Key).Where(static k => k != "prompt"))} beside prompt";
}
