using OrtPeft.Tokenizers.Chat;

namespace OrtPeft.Training.Data.Chat;

/// <summary>How rows of messages become text.</summary>
public sealed record ChatFormat
{
    /// <summary>
    /// The model's templates, read when a row of messages first needs them; null, or null in it, writes
    /// <c>role: content</c> and a line feed for each turn.
    /// </summary>
    public Lazy<ChatTemplates?>? Templates { get; init; }

    /// <summary>The part of a row that is learned; null (the default) means the assistant's turns of messages, and
    /// whole completions.</summary>
    public TrainOn? TrainOn { get; init; }

    /// <summary>How the text ends; other than closed, it is for looking at prompts, not for training.</summary>
    public ChatEnding Ending { get; init; }

    /// <summary>
    /// The clock behind the templates' <c>strftime_now</c>; null takes <see cref="ChatClock.System"/>.
    /// </summary>
    public TimeProvider? Time { get; init; }
}
