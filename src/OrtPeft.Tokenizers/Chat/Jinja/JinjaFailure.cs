namespace OrtPeft.Tokenizers.Chat.Jinja;

/// <summary>Why a template failed.</summary>
internal enum JinjaFailure
{
    /// <summary>An operation that Python or the sandbox refuses, or one that this interpreter does not have.</summary>
    Rendering,

    /// <summary>The template cannot be read.</summary>
    Syntax,

    /// <summary>The template's own <c>raise_exception</c>: its words are for the user as they are.</summary>
    Raised,

    /// <summary>More steps, depth or text than a template may take.</summary>
    Limit,
}
