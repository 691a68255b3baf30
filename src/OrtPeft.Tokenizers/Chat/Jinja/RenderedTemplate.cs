namespace OrtPeft.Tokenizers.Chat.Jinja;

/// <summary>The text that a template made of its variables.</summary>
/// <param name="Text">The text.</param>
/// <param name="Generations">Where generation blocks wrote, in UTF-16 units.</param>
/// <param name="HasLostGeneration">Whether one wrote where its place in the text cannot be told, as in a macro.</param>
internal sealed record RenderedTemplate(
    string Text, IReadOnlyList<(int Start, int End)> Generations, bool HasLostGeneration);
