namespace OrtPeft.Tokenizers.Chat;

/// <summary>How a rendered conversation ends.</summary>
public enum ChatEnding
{
    /// <summary>With its last turn, closed.</summary>
    Closed,

    /// <summary>With the header of an assistant's turn, for a model to answer: <c>add_generation_prompt</c>.</summary>
    GenerationPrompt,

    /// <summary>Within its last turn, for a model to go on: <c>continue_final_message</c>.</summary>
    OpenTurn,
}
