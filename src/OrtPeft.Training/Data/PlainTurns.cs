using OrtPeft.Training.Data.Forms;

namespace OrtPeft.Training.Data;

/// <summary>
/// A conversation without a chat template: <c>role: content</c> and a line feed for each turn; the end of text follows an
/// assistant's.
/// </summary>
internal static class PlainTurns
{
    /// <summary>Whose turns a model learns.</summary>
    public const string Assistant = "assistant";

    /// <summary>Appends a turn.</summary>
    public static RowTokens Turn(this RowTokens tokens, string role, string content) =>
        tokens.Context($"{role}: {content}\n");

    /// <summary>Appends an assistant's turn. What is supervised begins before the space, because byte-level BPE joins a
    /// space to the word that follows it.</summary>
    public static RowTokens Answer(this RowTokens tokens, string content) =>
        tokens.Answering().Supervised($" {content}\n").EndOfText();

    /// <summary>Appends what an assistant's turn begins with.</summary>
    public static RowTokens Answering(this RowTokens tokens) => tokens.Context($"{Assistant}:");

    /// <summary>Whether a turn may have a role.</summary>
    public static bool Knows(string role) => RowField.Roles.Contains(role);

    /// <summary>The roles, for people.</summary>
    public static string Known { get; } = string.Join(", ", RowField.Roles);
}
