namespace OrtPeft.Tokenizers.Chat;

/// <summary>A conversation as text.</summary>
/// <param name="Text">What is tokenised, without a token added to it.</param>
/// <param name="Generations">
/// What the template's <c>{% generation %}</c> blocks wrote, in UTF-16 units of the text, in order; null where a block
/// wrote within a macro or a captured block, whose place in the text is not known.
/// </param>
public sealed record RenderedChat(string Text, IReadOnlyList<(int Start, int End)>? Generations);
