using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using OrtPeft.Inference.Generation;
using OrtPeft.Models;
using OrtPeft.Text;
using OrtPeft.Tokenizers.Chat;

namespace OrtPeft.Serving.Chat;

/// <summary>From Microsoft.Extensions.AI's requests to what templates and samplers take.</summary>
internal static class ChatRequestMapping
{
    private const int MaxTokens = 1024;

    /// <summary>The functions as templates know them; null for none.</summary>
    /// <exception cref="NotSupportedException">A tool is not a function, or a call is to be forced.</exception>
    public static JsonElement? Tools(ChatOptions? options)
    {
        if (options?.ToolMode is RequiredChatToolMode)
            throw new NotSupportedException("ToolMode: a call cannot be forced; use Auto or None.");
        if (options?.Tools is not { Count: > 0 } tools || options.ToolMode is NoneChatToolMode)
            return null;
        return JsonSerializer.SerializeToElement(new JsonArray([.. tools.Select(static tool => (JsonNode)Tool(tool))]));
    }

    /// <summary>The turns.</summary>
    /// <exception cref="NotSupportedException">A turn holds more than texts, calls and results.</exception>
    public static ChatConversation Conversation(
        IEnumerable<Microsoft.Extensions.AI.ChatMessage> messages, ChatOptions? options, JsonElement? tools)
    {
        var turns = new JsonArray();
        if (!string.IsNullOrEmpty(options?.Instructions))
            turns.Add(new JsonObject { ["role"] = "system", ["content"] = options.Instructions });
        foreach (var message in messages)
            AddTo(turns, message);
        return new ChatConversation { Messages = JsonSerializer.SerializeToElement(turns), Tools = tools };
    }

    /// <summary>How tokens are chosen.</summary>
    /// <exception cref="NotSupportedException">An option cannot be followed.</exception>
    public static GenerationOptions Options(ChatOptions? options, SamplingSettings settings)
    {
        if (options?.ResponseFormat is not (null or ChatResponseFormatText))
            throw new NotSupportedException("ResponseFormat: answers cannot be held to JSON; use Text.");
        if (options?.AllowMultipleToolCalls == false)
            throw new NotSupportedException("AllowMultipleToolCalls: the number of calls cannot be limited; leave it out.");
        if (options?.Reasoning is not null)
            throw new NotSupportedException("Reasoning cannot be set; leave it out.");
        return new GenerationOptions
        {
            MaxNewTokens = options?.MaxOutputTokens ?? MaxTokens,
            Temperature = options?.Temperature,
            TopP = options?.TopP,
            TopK = options?.TopK,
            PresencePenalty = options?.PresencePenalty ?? 0,
            FrequencyPenalty = options?.FrequencyPenalty ?? 0,
            Seed = options?.Seed ?? FreshSeed.Next(),
        }.WithDefaults(settings);
    }

    private static void AddTo(JsonArray turns, Microsoft.Extensions.AI.ChatMessage message)
    {
        var (text, calls, hasResults) = ("", new JsonArray(), false);
        foreach (var content in message.Contents)
        {
            switch (content)
            {
                case TextContent part:
                    text += part.Text;
                    break;
                case TextReasoningContent or UsageContent:
                    break;
                case FunctionCallContent call:
                    calls.Add(Call(call));
                    break;
                case FunctionResultContent result:
                    turns.Add(Result(result));
                    hasResults = true;
                    break;
                default:
                    throw new NotSupportedException($"A turn holds {content.GetType().Name}; only text can be answered.");
            }
        }

        if (hasResults && text.Length == 0)
            return;
        var turn = new JsonObject { ["role"] = message.Role.Value, ["content"] = text };
        if (calls.Count > 0)
            turn["tool_calls"] = calls;
        turns.Add(turn);
    }

    private static JsonObject Call(FunctionCallContent call) => new()
    {
        ["id"] = call.CallId,
        ["type"] = "function",
        ["function"] = new JsonObject
        {
            ["name"] = call.Name,
            ["arguments"] = JsonSerializer.SerializeToNode(call.Arguments ?? new Dictionary<string, object?>(), AIJsonUtilities.DefaultOptions),
        },
    };

    private static JsonObject Result(FunctionResultContent result) => new()
    {
        ["role"] = "tool",
        ["tool_call_id"] = result.CallId,
        ["content"] = result.Result as string
            ?? JsonSerializer.Serialize(result.Result, AIJsonUtilities.DefaultOptions),
    };

    private static JsonObject Tool(AITool tool) => tool is AIFunctionDeclaration function
        ? new JsonObject
        {
            ["type"] = "function",
            ["function"] = new JsonObject
            {
                ["name"] = function.Name,
                ["description"] = function.Description,
                ["parameters"] = JsonNode.Parse(function.JsonSchema.GetRawText()),
            },
        }
        : throw new NotSupportedException($"Tools: {tool.GetType().Name} is not a function.");
}
