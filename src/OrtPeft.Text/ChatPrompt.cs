using System.Text.Json;
using OrtPeft.Tensors;
using OrtPeft.Tokenizers;
using OrtPeft.Tokenizers.Chat;

namespace OrtPeft.Text;

/// <summary>Makes tokens of a conversation that the model is to answer, as training made them of its rows.</summary>
internal static class ChatPrompt
{
    /// <summary>The roles that rows of messages may have where there is no template.</summary>
    private static readonly string[] PlainRoles = ["assistant", "user", "system", "developer", "tool"];

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <summary>The tokens, up to where the answer begins.</summary>
    /// <param name="messages">The turns so far.</param>
    /// <param name="templates">The model's templates, or null.</param>
    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <exception cref="ArgumentException">There are no turns, or a role is unknown.</exception>
    /// <exception cref="ChatTemplateException">The template refuses the conversation.</exception>
    public static IReadOnlyList<int> Encode(
        IReadOnlyList<ChatMessage> messages, ChatTemplates? templates, ITokenizer tokenizer)
    {
        if (messages.Count == 0)
            throw new SettingException("The conversation has no turns; at least one is needed.");
        if (templates is null)
            return tokenizer.WithStart(tokenizer.Encode(Plain(messages)));
        var conversation = new ChatConversation { Messages = JsonSerializer.SerializeToElement(messages, Json) };
        var rendered = templates.Select(hasTools: false).Render(conversation, ChatEnding.GenerationPrompt);
        return tokenizer.Encode(rendered.Text); // the template itself writes the token that starts a text
    }

    private static string Plain(IEnumerable<ChatMessage> messages) =>
        string.Concat(messages.Select(static m => $"{Known(m.Role)}: {m.Content}\n")) + "assistant:";

    private static string Known(string role) => PlainRoles.Contains(role)
        ? role
        : throw new SettingException($"The role is '{role}'; expected one of {string.Join(", ", PlainRoles)}.");
}
