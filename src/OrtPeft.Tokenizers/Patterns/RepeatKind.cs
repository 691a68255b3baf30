namespace OrtPeft.Tokenizers.Patterns;

/// <summary>How a repetition takes more or less.</summary>
internal enum RepeatKind
{
    Greedy,
    Lazy,
    Possessive,
}
