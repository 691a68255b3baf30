using System.Text.Json;
using System.Text.Json.Nodes;
using OrtPeft.Serving;
using OrtPeft.Tokenizers.Chat;

namespace OrtPeft.Server;

/// <summary>A request to <c>/v1/chat/completions</c>.</summary>
/// <param name="Sampling">What it has in common with others.</param>
/// <param name="Conversation">What the template sees.</param>
/// <param name="TopLogProbabilities">How many tokens' probabilities are wanted beside each; null for none.</param>
internal sealed record ChatRequest(Sampling Sampling, ChatConversation Conversation, int? TopLogProbabilities)
{
    private const int MostLogProbabilities = 20;

    private static readonly string[] Roles = ["system", "developer", "user", "assistant", "tool"];

    /// <summary>Reads one.</summary>
    /// <exception cref="ApiException">A field is wrong, missing or not supported.</exception>
    public static ChatRequest Of(JsonElement body, ServerOptions server, ServedModel served)
    {
        var fields = new Fields(body);
        var sampling = Sampling.Of(fields, server, served.Model.Source.Sampling);
        fields.Only("response_format", static v => v.ValueKind == JsonValueKind.Object
                && v.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String && type.GetString() == "text",
            "answers cannot be held to JSON or to a schema here; leave it out, and ask for JSON in the messages.");
        fields.Only("modalities", static v => v.ValueKind == JsonValueKind.Array
                && v.EnumerateArray().All(static m => m.ValueKind == JsonValueKind.String && m.GetString() == "text"),
            "only text is answered.");
        fields.Only("parallel_tool_calls", static v => v.ValueKind == JsonValueKind.True,
            "the number of calls cannot be limited; leave it out.");
        var wants = fields.Flag("logprobs") ?? false;
        var top = fields.Whole("top_logprobs", 0, MostLogProbabilities);
        if (top is not null && !wants)
            throw ApiException.Field("top_logprobs", "only with logprobs; set logprobs to true.");
        var messages = fields.Get("messages") is { ValueKind: JsonValueKind.Array } given && given.GetArrayLength() > 0
            ? given
            : throw ApiException.Field("messages", "expected an array of one or more messages.");
        var conversation = new ChatConversation
        {
            Messages = JsonSerializer.SerializeToElement(new JsonArray(
                [.. messages.EnumerateArray().Select(static (m, i) => (JsonNode)Message(m, $"messages[{i}]."))])),
            Tools = Tools(fields, served),
            Variables = Variables(fields),
        };
        fields.End();
        return new ChatRequest(sampling, conversation, wants ? (int)(top ?? 0) : null);
    }

    private static JsonObject Message(JsonElement element, string path)
    {
        var fields = new Fields(element, path);
        var role = fields.Text("role");
        if (!Roles.Contains(role))
            throw ApiException.Field($"{path}role", $"expected one of {string.Join(", ", Roles)}.");
        var message = new JsonObject { ["role"] = role == "developer" ? "system" : role };
        var calls = fields.Get("tool_calls");
        var content = Content(fields, path);
        if (content is null && (role != "assistant" || calls is null))
            throw ApiException.Field($"{path}content", "missing; expected a string or an array of text parts.");
        message["content"] = content;
        if (calls is { } list)
            message["tool_calls"] = Calls(list, $"{path}tool_calls");
        foreach (var name in (string[])["name", "tool_call_id", "reasoning_content"])
        {
            if (fields.Text(name) is { } text)
                message[name] = text;
        }

        fields.Ignore("refusal", "annotations");
        fields.End();
        return message;
    }

    private static string? Content(Fields fields, string path)
    {
        switch (fields.Get("content"))
        {
            case null:
                return null;
            case { ValueKind: JsonValueKind.String } text:
                return text.GetString();
            case { ValueKind: JsonValueKind.Array } parts:
                return string.Concat(parts.EnumerateArray().Select((part, i) => Part(part, $"{path}content[{i}].")));
            default:
                throw ApiException.Field($"{path}content", "expected a string or an array of text parts.");
        }
    }

    private static string Part(JsonElement element, string path)
    {
        var fields = new Fields(element, path);
        var type = fields.Text("type");
        return type == "text"
            ? fields.Text("text") ?? throw ApiException.Field($"{path}text", "missing; expected a string.")
            : throw ApiException.Unsupported($"{path}type", $"parts of type '{type}' are not supported, only text.");
    }

    /// <summary>Templates write arguments as JSON, so they get an object rather than its text.</summary>
    private static JsonArray Calls(JsonElement list, string path)
    {
        if (list.ValueKind != JsonValueKind.Array)
            throw ApiException.Field(path, "expected an array.");
        var calls = new JsonArray();
        foreach (var (i, element) in list.EnumerateArray().Index())
        {
            var fields = new Fields(element, $"{path}[{i}].");
            var function = new Fields(fields.Get("function") ?? throw ApiException.Field($"{path}[{i}].function", "missing."),
                $"{path}[{i}].function.");
            var arguments = function.Text("arguments") ?? "{}";
            JsonNode? parsed;
            try
            {
                parsed = JsonNode.Parse(arguments) as JsonObject;
            }
            catch (JsonException)
            {
                parsed = null;
            }

            calls.Add(new JsonObject
            {
                ["id"] = fields.Text("id"),
                ["type"] = "function",
                ["function"] = new JsonObject
                {
                    ["name"] = function.Text("name") ?? throw ApiException.Field($"{path}[{i}].function.name", "missing."),
                    ["arguments"] = parsed ?? arguments,
                },
            });
        }

        return calls;
    }

    private static JsonElement? Tools(Fields fields, ServedModel served)
    {
        var choice = fields.Get("tool_choice");
        if (choice is { } given && (given.ValueKind != JsonValueKind.String || given.GetString() is not ("auto" or "none")))
            throw ApiException.Unsupported("tool_choice", "only auto and none; a call cannot be forced.");
        if (fields.Get("tools") is not { } tools)
            return null;
        if (tools.ValueKind != JsonValueKind.Array)
            throw ApiException.Field("tools", "expected an array.");
        foreach (var (i, tool) in tools.EnumerateArray().Index())
        {
            var of = new Fields(tool, $"tools[{i}].");
            if (of.Text("type") != "function" || of.Get("function") is not { ValueKind: JsonValueKind.Object } function)
                throw ApiException.Unsupported($"tools[{i}].type", "only tools of type function, with a function.");
            if (function.TryGetProperty("strict", out var strict) && strict.ValueKind == JsonValueKind.True)
                throw ApiException.Unsupported($"tools[{i}].function.strict", "arguments cannot be held to a schema; leave it out.");
        }

        if (tools.GetArrayLength() == 0 || choice?.GetString() == "none")
            return null;
        return served.TakesTools
            ? tools.Clone()
            : throw ApiException.Unsupported("tools", "the model's chat template has no place for tools.");
    }

    private static Dictionary<string, JsonElement> Variables(Fields fields) => fields.Get("chat_template_kwargs") switch
    {
        null => [],
        { ValueKind: JsonValueKind.Object } variables =>
            variables.EnumerateObject().ToDictionary(static v => v.Name, static v => v.Value.Clone()),
        _ => throw ApiException.Field("chat_template_kwargs", "expected an object."),
    };
}
