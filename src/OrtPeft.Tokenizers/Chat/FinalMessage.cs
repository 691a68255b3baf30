using OrtPeft.Tokenizers.Chat.Jinja;
using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat;

/// <summary>
/// The last turn left open: a mark after its text tells where to cut what was rendered, as in transformers.
/// </summary>
internal sealed class FinalMessage
{
    private const string Mark = "CONTINUE_FINAL_MESSAGE_TAG ";

    private readonly string _text;

    private FinalMessage(PyList messages, string text)
    {
        Messages = messages;
        _text = PythonText.Strip(text);
    }

    /// <summary>The messages, the last one marked.</summary>
    public PyList Messages { get; }

    public static FinalMessage Of(object? messages, string template)
    {
        if (messages is not PyList { Items: [.., PyDict last] } list)
            throw new JinjaException("there is no message to continue");
        if (!last.TryGet("content", out var content))
            throw new JinjaException("the final message has no \"content\" to continue");
        if (!template.Contains("content", StringComparison.Ordinal))
            throw new JinjaException("the template reads no \"content\", so no message can be continued");
        var (marked, text) = Marked(content);
        return new FinalMessage(new PyList([.. list.Items.SkipLast(1), With(last, "content", marked)]), text);
    }

    /// <summary>The text rendered up to the mark.</summary>
    public string Cut(string rendered)
    {
        var at = rendered.LastIndexOf(Mark.TrimEnd(), StringComparison.Ordinal);
        if (at < 0 || !rendered.Contains(_text, StringComparison.Ordinal))
        {
            throw new JinjaException(
                "the final message does not appear in what the template makes of the conversation, so it cannot be "
                + "continued");
        }

        var keepsBlanks = rendered.AsSpan(at).StartsWith(Mark, StringComparison.Ordinal);
        return keepsBlanks ? rendered[..at] : PythonText.TrimEnd(rendered[..at]);
    }

    private static (object? Marked, string Text) Marked(object? content)
    {
        if (content is string text)
            return (text + Mark, text);
        if (content is not PyList parts)
            throw new JinjaException("the final message has no text to continue");
        var index = parts.Items.FindLastIndex(static part => part is PyDict dict && dict.TryGet("text", out _));
        if (index < 0 || !((PyDict)parts.Items[index]!).TryGet("text", out var value) || value is not string last)
            throw new JinjaException("the final message has no text to continue");
        var marked = new PyList(parts.Items);
        marked.Items[index] = With((PyDict)parts.Items[index]!, "text", last + Mark);
        return (marked, last);
    }

    private static PyDict With(PyDict dict, string name, object? value)
    {
        var changed = new PyDict();
        foreach (var (key, old) in dict.Pairs)
            changed.Set(key, old);
        changed.Set(name, value);
        return changed;
    }
}
