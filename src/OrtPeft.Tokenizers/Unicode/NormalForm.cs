namespace OrtPeft.Tokenizers.Unicode;

/// <summary>Unicode's four normal forms.</summary>
internal enum NormalForm
{
    Decomposed,
    Composed,
    CompatibilityDecomposed,
    CompatibilityComposed,
}
