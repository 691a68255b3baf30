namespace OrtPeft.Tokenizers;

/// <summary>What encoding does with special tokens, such as <c>&lt;|endoftext|&gt;</c>, spelled out in a text.</summary>
public enum SpecialTokenHandling
{
    /// <summary>The spelling becomes the special token's id. Right for prompts and templates you wrote.</summary>
    Recognize,

    /// <summary>
    /// The spelling is ordinary text, so that untrusted text cannot end a document or forge a turn. Added tokens
    /// that are not special are still recognised.
    /// </summary>
    TreatAsText,
}
