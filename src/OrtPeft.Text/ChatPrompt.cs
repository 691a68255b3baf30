using System.Text.Json;
using OrtPeft.Tensors;
using OrtPeft.Tokenizers;
using OrtPeft.Tokenizers.Chat;
using OrtPeft.Training.Data;

namespace OrtPeft.Text;

/// <summary>A conversation up to where the model is to answer, as training makes tokens of its rows.</summary>
/// <param name="Text">What the model sees.</param>
/// <param name="Ids">Its tokens.</param>
internal sealed record ChatPrompt(string Text, IReadOnlyList<int> Ids)
{
    /// <summary>Renders a conversation.</summary>
    /// <param name="conversation">The turns so far.</param>
    /// <param name="templates">The model's templates, or null.</param>
    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <exception cref="ArgumentException">There are no turns; or there is no template, and a role is unknown or the
    /// conversation has more than turns of text.</exception>
    /// <exception cref="ChatTemplateException">The template refuses the conversation.</exception>
    public static ChatPrompt Of(ChatConversation conversation, ChatTemplates? templates, ITokenizer tokenizer)
    {
        if (conversation.Messages.GetArrayLength() == 0)
            throw new SettingException("The conversation has no turns; at least one is needed.");
        if (templates is null)
            return Plain(conversation, tokenizer);
        var template = templates.Select(conversation.Tools is not null);
        var text = template.Render(conversation, ChatEnding.GenerationPrompt).Text;
        return new ChatPrompt(text, tokenizer.Encode(text)); // the template itself writes the token that starts a text
    }

    /// <summary>The prompt has turns as rows have them.</summary>
    private static ChatPrompt Plain(ChatConversation conversation, ITokenizer tokenizer)
    {
        if (conversation.Tools is not null || conversation.Variables.Count > 0)
            throw new SettingException("Tools and variables are for chat templates, and the model has none.");
        var tokens = new RowTokens(tokenizer);
        var place = new DataPlace("the conversation", 1);
        foreach (var (i, message) in conversation.Messages.EnumerateArray().Index())
        {
            var role = Known(TextOf(message, i, "role"));
            var content = TextOf(message, i, "content");
            if (role == PlainTurns.Assistant)
                tokens.Answer(content);
            else
                tokens.Turn(role, content);
        }

        IReadOnlyList<int> ids = tokens.Answering().ToExample(place, "messages").InputIds;
        return new ChatPrompt(tokenizer.Decode(ids), ids);
    }

    private static string TextOf(JsonElement message, int turn, string field) =>
        message.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()!
            : throw new SettingException(
                $"messages[{turn}].{field} is not text, which it must be for a model without a chat template.");

    private static string Known(string role) => PlainTurns.Knows(role)
        ? role
        : throw new SettingException($"The role is '{role}'; expected one of {PlainTurns.Known}.");
}
