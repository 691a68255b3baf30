namespace OrtPeft.Tokenizers;

/// <summary>One merge: the ids of two neighbours and of the token they become.</summary>
internal readonly record struct MergeRule(int Left, int Right, int Result);
