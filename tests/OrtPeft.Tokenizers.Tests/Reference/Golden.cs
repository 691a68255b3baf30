namespace OrtPeft.Tokenizers.Tests.Reference;

/// <summary>A text and its ids by the reference implementation.</summary>
public sealed record Golden(string Name, string Text, IReadOnlyList<int> Ids);
