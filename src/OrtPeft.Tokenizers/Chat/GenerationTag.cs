using System.Text.RegularExpressions;

namespace OrtPeft.Tokenizers.Chat;

/// <summary>The tag by which a template marks what a model writes.</summary>
internal static partial class GenerationTag
{
    public static bool IsIn(string template) => Tag().IsMatch(template);

    [GeneratedRegex(@"\{%[-+]?\s*generation\s*[-+]?%\}")]
    private static partial Regex Tag();
}
