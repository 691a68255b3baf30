namespace OrtPeft.Tokenizers.Chat;

/// <summary>
/// A chat template that cannot be read, or a conversation that it refuses. The message is one line: the template's
/// file, its line where one is known, and the reason; of a <c>raise_exception</c> the template's own words.
/// </summary>
public sealed class ChatTemplateException : Exception
{
    internal ChatTemplateException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    /// <summary>Whether the template itself refused the conversation, by <c>raise_exception</c>.</summary>
    public bool IsRaised { get; internal init; }
}
