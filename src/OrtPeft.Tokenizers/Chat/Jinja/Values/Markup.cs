namespace OrtPeft.Tokenizers.Chat.Jinja.Values;

/// <summary>Text that counts as escaped already, as the filters <c>safe</c> and <c>escape</c> return it.</summary>
internal sealed record Markup(string Text)
{
    /// <summary>Escapes what is not escaped yet.</summary>
    public static Markup Escape(object? value) => value as Markup ?? new Markup(EscapeText(Display.Text(value)));

    private static string EscapeText(string text) => text
        .Replace("&", "&amp;", StringComparison.Ordinal)
        .Replace(">", "&gt;", StringComparison.Ordinal)
        .Replace("<", "&lt;", StringComparison.Ordinal)
        .Replace("'", "&#39;", StringComparison.Ordinal)
        .Replace("\"", "&#34;", StringComparison.Ordinal);
}
