using OrtPeft.Tokenizers.Chat.Jinja;
using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat;

/// <summary>
/// One chat template, rendered as <c>apply_chat_template</c> of transformers 5 does it: Jinja2 in its immutable
/// sandbox, null fields of messages left out, a turn's thoughts given under each of their names.
/// </summary>
/// <remarks>
/// Immutable and safe to use from several threads. A template is untrusted: its steps, depth and output are bounded.
/// </remarks>
public sealed class ChatTemplate
{
    private readonly JinjaTemplate _template;
    private readonly IReadOnlyDictionary<string, object?> _tokens;

    private ChatTemplate(JinjaTemplate template, string source, string origin, TemplateTokens tokens)
    {
        _template = template;
        _tokens = tokens.Variables;
        Source = source;
        Origin = origin;
    }

    /// <summary>The template's text.</summary>
    public string Source { get; }

    /// <summary>Where it was read, for messages: a file, and a name where the file has several.</summary>
    public string Origin { get; }

    /// <summary>Whether it says by <c>{% generation %}</c> blocks what a model writes.</summary>
    public bool MarksGenerations => GenerationTag.IsIn(Source);

    /// <summary>Reads a template.</summary>
    /// <param name="source">Jinja2.</param>
    /// <param name="origin">What messages call it.</param>
    /// <returns>The template, which knows no special token.</returns>
    /// <exception cref="ChatTemplateException">It cannot be read.</exception>
    public static ChatTemplate Parse(string source, string origin) => Parse(source, origin, TemplateTokens.None);

    internal static ChatTemplate Parse(string source, string origin, TemplateTokens tokens)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentException.ThrowIfNullOrEmpty(origin);
        try
        {
            return new ChatTemplate(JinjaTemplate.Parse(source), source, origin, tokens);
        }
        catch (JinjaException error)
        {
            throw Failure(origin, error);
        }
    }

    /// <summary>Renders a conversation.</summary>
    /// <param name="chat">The conversation.</param>
    /// <param name="ending">How the text is to end.</param>
    /// <param name="time">The clock behind <c>strftime_now</c>; null takes <see cref="ChatClock.System"/>.</param>
    /// <returns>The text, and where the model's own words stand in it if the template says so.</returns>
    /// <exception cref="ChatTemplateException">The template refuses it or fails.</exception>
    public RenderedChat Render(
        ChatConversation chat, ChatEnding ending = ChatEnding.Closed, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(chat);
        try
        {
            object? messages = PreparedMessages.Of(chat.Messages);
            var final = ending == ChatEnding.OpenTurn ? FinalMessage.Of(messages, Source) : null;
            var rendered = _template.Render(
                Variables(chat, final?.Messages ?? messages, ending), (time ?? ChatClock.System).GetLocalNow());
            var text = final?.Cut(rendered.Text) ?? rendered.Text;
            return new RenderedChat(text, rendered.HasLostGeneration ? null : rendered.Generations);
        }
        catch (JinjaException error)
        {
            throw Failure(Origin, error);
        }
    }

    private Dictionary<string, object?> Variables(ChatConversation chat, object? messages, ChatEnding ending)
    {
        var variables = new Dictionary<string, object?>(_tokens, StringComparer.Ordinal);
        variables["documents"] = null;
        foreach (var (name, value) in chat.Variables)
            variables[name] = JsonValues.Of(value);
        variables["messages"] = messages;
        variables["tools"] = chat.Tools is { } tools ? JsonValues.Of(tools) : null;
        variables["add_generation_prompt"] = ending == ChatEnding.GenerationPrompt;
        return variables;
    }

    private static ChatTemplateException Failure(string origin, JinjaException error)
    {
        var isRaised = error.Failure == JinjaFailure.Raised;
        var place = error.Line > 0 ? $", line {error.Line}" : "";
        var message = $"chat template {origin}{place}: {error.Message}";
        return new ChatTemplateException(message, error) { IsRaised = isRaised };
    }
}
