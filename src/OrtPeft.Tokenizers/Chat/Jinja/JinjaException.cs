namespace OrtPeft.Tokenizers.Chat.Jinja;

/// <summary>
/// A template that cannot be read or rendered; the message is Python's or Jinja's where those have one.
/// </summary>
internal sealed class JinjaException(string message, JinjaFailure failure = JinjaFailure.Rendering, int line = 0)
    : Exception(message)
{
    public JinjaFailure Failure { get; } = failure;

    /// <summary>The template's line, from 1; 0 where it is not known yet.</summary>
    public int Line { get; } = line;

    /// <summary>The same failure, at a line if it has none.</summary>
    public JinjaException At(int line) => Line == 0 ? new JinjaException(Message, Failure, line) : this;
}
